//! The SQL files that make a warehouse: the migrations, the views and the checks, in their order.

use std::sync::LazyLock;

use crate::stream::{CATALOGUE, Migration};

/// The files of the ledger, and those that change the tables of several streams. A stream names its own
/// ([`crate::stream::Spec::schema`]).
const LEDGER: &[Migration] = &[
    Migration::new(1, include_str!("../../../schema/ledger.sql")),
    Migration::new(9, include_str!("../../../schema/ledger.2.sql")),
    Migration::new(10, include_str!("../../../schema/ledger.3.sql")),
    Migration::new(11, include_str!("../../../schema/ledger.7.sql")),
    Migration::new(12, include_str!("../../../schema/ledger.8.sql")),
    Migration::new(18, include_str!("../../../schema/reconcile.sql")),
    Migration::new(19, include_str!("../../../schema/planner.sql")),
    Migration::new(20, include_str!("../../../schema/dictionary.sql")),
    Migration::new(21, include_str!("../../../schema/quarantine.sql")),
    Migration::new(22, include_str!("../../../schema/commits.sql")),
];

/// Applied in order, each in one transaction, never edited once released.
pub(super) static MIGRATIONS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| in_order().iter().map(|migration| migration.sql).collect());

fn in_order() -> Vec<Migration> {
    let mut all: Vec<Migration> = LEDGER.to_vec();
    all.extend(CATALOGUE.iter().flat_map(|stream| stream.spec().schema));
    all.sort_by_key(|migration| migration.ordinal);
    all
}

/// Schema version of this program: the number of migrations.
pub(in crate::warehouse) fn version() -> i32 {
    i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX)
}

/// Views in the order of their creation: a view stands behind those it reads. The checks and their list follow.
pub(super) const VIEWS: &[&str] = &[
    include_str!("../../../schema/views/code_names.sql"),
    include_str!("../../../schema/views/codes_by_column.sql"),
    include_str!("../../../schema/views/known_orders_by_id.sql"),
    include_str!("../../../schema/views/known_orders.sql"),
    include_str!("../../../schema/views/classified_orders_by_id.sql"),
    include_str!("../../../schema/views/classified_orders.sql"),
    include_str!("../../../schema/views/counted_orders_by_id.sql"),
    include_str!("../../../schema/views/counted_orders.sql"),
    include_str!("../../../schema/views/order_months.sql"),
    include_str!("../../../schema/views/counted_lines.sql"),
    include_str!("../../../schema/views/allocated_spend.sql"),
    include_str!("../../../schema/views/f01_net_spend_by_service.sql"),
    include_str!("../../../schema/views/f02_net_spend_by_customer.sql"),
    include_str!("../../../schema/views/f03_net_spend_by_enterprise_project.sql"),
    include_str!("../../../schema/views/f04_net_spend_by_region.sql"),
    include_str!("../../../schema/views/f05_refunds_by_original_month.sql"),
    include_str!("../../../schema/views/amortised_lines.sql"),
    include_str!("../../../schema/views/f06_amortisation_schedule.sql"),
    include_str!("../../../schema/views/f07_prepaid_balance.sql"),
    include_str!("../../../schema/views/renewals.sql"),
    include_str!("../../../schema/views/f08_renewals_next_month.sql"),
    include_str!("../../../schema/views/f09_orders_waiting_for_payment.sql"),
    include_str!("../../../schema/views/f10_discount_effectiveness.sql"),
    include_str!("../../../schema/views/f11_fees_and_consumption_kept_back.sql"),
    include_str!("../../../schema/views/f12_payment_composition.sql"),
    include_str!("../../../schema/views/moved_orders.sql"),
    include_str!("../../../schema/views/counted_at_close.sql"),
    include_str!("../../../schema/views/f13_changes_since_close.sql"),
    include_str!("../../../schema/views/f15_spend_by_payer.sql"),
    include_str!("../../../schema/views/f16_kinds_of_business.sql"),
    include_str!("../../../schema/views/f18_cut_off.sql"),
    include_str!("../../../schema/views/v_orders.sql"),
    include_str!("../../../schema/views/v_order_lines.sql"),
    include_str!("../../../schema/views/v_order_discounts.sql"),
    include_str!("../../../schema/views/v_order_enterprise_projects.sql"),
    include_str!("../../../schema/views/v_refund_attributions.sql"),
    include_str!("../../../schema/views/v_resources.sql"),
    include_str!("../../../schema/views/v_sub_customers.sql"),
    include_str!("../../../schema/views/undecoded_rows.sql"),
    include_str!("../../../schema/views/freshness.sql"),
    include_str!("../../../schema/views/coverage_by_month.sql"),
    include_str!("../../../schema/views/disputes.sql"),
    include_str!("../../../schema/views/late_arrivals.sql"),
    include_str!("../../../schema/views/checked_orders.sql"),
    include_str!("../../../schema/views/refund_ties.sql"),
    include_str!("../../../schema/views/price_identities.sql"),
    include_str!("../../../schema/views/account_models.sql"),
    include_str!("../../../schema/views/coverage_gaps.sql"),
    include_str!("../../../schema/views/open_breaks.sql"),
    include_str!("../../../schema/views/full_reconciliations.sql"),
    include_str!("../../../schema/views/f17_can_i_close.sql"),
];

/// The checks in the order of their numbers; adding a check is adding its line.
pub(super) const CHECKS: &[&str] = &[
    include_str!("../../../schema/checks/rc01_refund_ties.sql"),
    include_str!("../../../schema/checks/rc02_refund_without_attribution.sql"),
    include_str!("../../../schema/checks/rc03_refund_exceeds_price.sql"),
    include_str!("../../../schema/checks/rc04_orphan_attribution.sql"),
    include_str!("../../../schema/checks/rc05_refund_parts.sql"),
    include_str!("../../../schema/checks/rc06_duplicate_refund.sql"),
    include_str!("../../../schema/checks/rc07_refund_sanity.sql"),
    include_str!("../../../schema/checks/rc08_order_equals_lines.sql"),
    include_str!("../../../schema/checks/rc09_price_identity.sql"),
    include_str!("../../../schema/checks/rc10_deductions_fit.sql"),
    include_str!("../../../schema/checks/rc11_combined_trade.sql"),
    include_str!("../../../schema/checks/rc12_completed_never_paid.sql"),
    include_str!("../../../schema/checks/rc13_impossible_times.sql"),
    include_str!("../../../schema/checks/rc14_stale_pending_order.sql"),
    include_str!("../../../schema/checks/rc15_status_went_back.sql"),
    include_str!("../../../schema/checks/rc16_fixed_value_changed.sql"),
    include_str!("../../../schema/checks/rc17_paid_order_without_resource.sql"),
    include_str!("../../../schema/checks/rc18_resource_without_order.sql"),
    include_str!("../../../schema/checks/rc19_refunded_but_running.sql"),
    include_str!("../../../schema/checks/rc20_expiry_differs.sql"),
    include_str!("../../../schema/checks/rc21_expires_without_renewal.sql"),
    include_str!("../../../schema/checks/rc27_units_and_currency.sql"),
    include_str!("../../../schema/checks/rc28_late_arrivals.sql"),
    include_str!("../../../schema/checks/rc29_coverage.sql"),
    include_str!("../../../schema/checks/rc30_unknown_code.sql"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_among_the_migrations_is_taken_once() {
        let taken: Vec<u16> = in_order().iter().map(|migration| migration.ordinal).collect();
        let places: Vec<u16> = (1..).take(taken.len()).collect();
        assert_eq!(taken, places);
    }

    /// There are files that have seen these and no other.
    #[test]
    fn the_first_twenty_migrations_stay_in_their_order() {
        let first_statement = |sql: &str| {
            let line =
                sql.lines().find(|line| !line.starts_with("--") && !line.is_empty()).unwrap_or_default();
            line.trim_end_matches([' ', '(', ';']).to_owned()
        };
        let first: Vec<String> = MIGRATIONS[..20].iter().map(|sql| first_statement(sql)).collect();
        insta::assert_snapshot!(first.join("\n"), @r"
        create table meta
        create table orders
        create table order_details
        create table refund_attributions
        create table resources
        create table service_types
        create table resource_types
        create table sub_customers
        alter table queue drop column absences
        create temp table kept_coverage as select * from coverage
        drop table rate_state
        create table page_limits
        create index orders_by_month on orders
        create index order_lines_by_own_order on order_lines
        create index resources_by_expire_month on resources
        create index order_lines_by_expire_time on order_lines (account, expire_time, effective_time)
        create index order_enterprise_projects_by_project on order_enterprise_projects (account, enterprise_project_id)
        create table reconciliations
        analyze sqlite_schema
        create table data_objects
        ");
    }
}
