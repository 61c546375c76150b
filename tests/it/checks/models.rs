//! What the vendor's documents leave open: both answers are recognised until the orders speak for one.

use super::{Db, Order, REFUND, attribution, order, sane};

const MARCH: &str = "2026-03-28T00:00:00Z";

/// A refund order of which 5 were kept back of 30; its amount is after ('net') or before ('gross') that.
fn refund(db: &Db, id: &str, model: &str) {
    let amount = if model == "net" { "-25" } else { "-30" };
    Order { fee: Some("5"), consumed: Some("0"), ..order(id, REFUND, amount, MARCH) }.put_with_line(db);
    attribution(id, "1", "-30", "D0").put(db);
    attribution(id, "2", "5", "D0").put(db);
}

/// The evidence about refund amounts.
fn evidence(db: &Db) -> Vec<String> {
    db.texts(
        "select model, orders, fitting, only_this, is_clear, is_pinned from account_models where question = 'RC01' order by 1",
    )
}

#[test]
fn orders_that_kept_nothing_back_tell_the_models_not_apart() {
    let db = sane();
    // R keeps something back and is net; D and G fit both.
    assert_eq!(evidence(&db), ["gross|3|2|0|0|0", "net|3|3|1|0|0"]);
}

#[test]
fn twenty_orders_that_agree_are_clear_and_one_against_is_not() {
    let db = sane();
    for nr in 0..18 {
        refund(&db, &format!("R{nr}"), "net");
    }
    assert_eq!(evidence(&db)[1], "net|21|21|19|0|0");
    refund(&db, "R18", "net");
    assert_eq!(evidence(&db)[1], "net|22|22|20|1|0");
    refund(&db, "R19", "gross");
    assert_eq!(evidence(&db), ["gross|23|3|1|0|0", "net|23|22|20|0|0"]);
    assert_eq!(db.found("RC01"), [""; 0], "both are recognised");
}

#[test]
fn an_order_that_fits_only_the_other_model_is_a_break_once_one_is_pinned() {
    let db = sane();
    refund(&db, "R2", "net");
    refund(&db, "R3", "gross");
    db.pin("RC01", "net");
    assert_eq!(db.found("RC01"), ["R3|25.00|30.00|5.00|CNY|2026-03"]);
    assert_eq!(
        db.column("RC01", "note"),
        ["the account follows: amount after fee and consumption; this order fits only the other model"]
    );
    db.run("update pinned_models set model = 'gross'", []);
    assert_eq!(db.found("RC01"), ["R|230.00|215.00|-15.00|CNY|2026-03", "R2|30.00|25.00|-5.00|CNY|2026-03"]);
}
