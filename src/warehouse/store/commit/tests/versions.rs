//! The views of versions hold, at every instant, exactly what the tables held.

use proptest::prelude::*;

use super::{Store, attributions, order};

/// An answer: seconds since the one before, and what it shows.
#[derive(Clone, Debug)]
pub(super) enum OrderAnswer {
    Order { amount: u8, discounts: Vec<u8> },
    Attributions(Vec<u8>),
}

impl OrderAnswer {
    /// Stores it as of a time.
    pub(super) fn store(self, store: &mut Store, at: &str) {
        let texts = |numbers: Vec<u8>| numbers.iter().map(u8::to_string).collect::<Vec<_>>();
        let (stream, body) = match self {
            Self::Order { amount, discounts } => {
                let discounts = texts(discounts);
                let discounts: Vec<&str> = discounts.iter().map(String::as_str).collect();
                ("orders", order(&amount.to_string(), &discounts))
            }
            Self::Attributions(ids) => {
                let ids = texts(ids);
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                ("refund_attributions", attributions(&ids))
            }
        };
        store.store(stream, "CS1", &body, at);
    }
}

/// Answers, each with the seconds since the one before.
pub(super) fn answers() -> impl Strategy<Value = Vec<(u8, OrderAnswer)>> {
    prop::collection::vec(answer(), 1..16)
}

fn answer() -> impl Strategy<Value = (u8, OrderAnswer)> {
    let order = (1u8..4, prop::collection::vec(1u8..4, 0..3))
        .prop_map(|(amount, discounts)| OrderAnswer::Order { amount, discounts });
    let attributions = prop::collection::btree_set(1u8..5, 0..4)
        .prop_map(|ids| OrderAnswer::Attributions(ids.into_iter().collect()));
    (0u8..3, prop_oneof![order, attributions])
}

/// Tables, their keys, and what is compared of them; the version last.
pub(super) const CONTENT: [(&str, &str, &str); 3] = [
    ("orders", "order_id", "order_id, amount_after_discount_e8, gone_since, version"),
    ("order_discounts", "order_id, position", "order_id, position, discount_amount_e8, gone_since, version"),
    ("refund_attributions", "refund_order_id, id", "refund_order_id, id, amount_e8, gone_since, version"),
];

/// The instant of a second of the first of March, as text and as a client writes it (UTC+8).
pub(super) fn second(second: u32) -> (String, String) {
    (format!("2026-03-01T12:00:{second:02}Z"), format!("202603012000{second:02}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn at_every_instant_the_versions_are_what_the_tables_held(
        answers in answers()
    ) {
        let mut store = Store::new();
        let content = |store: &Store| {
            CONTENT.map(|(table, _, columns)| store.rows(&format!("select {columns} from {table} order by 1, 2, 3")))
        };
        // What the tables held from each second on.
        let mut held = Vec::new();
        let mut now = 0;
        for (pause, answer) in answers {
            now += u32::from(pause);
            let at = second(now).0;
            answer.store(&mut store, &at);
            held.retain(|(second, _)| *second != now);
            held.push((now, content(&store)));
        }
        for (now, held) in &held {
            let (at, as_of) = second(*now);
            for ((table, _, columns), held) in CONTENT.into_iter().zip(held) {
                let found = |source: &str| store.rows(&format!("select {columns} from {source} order by 1, 2, 3"));
                let valid = found(&format!(
                    "{table}_versions where valid_from <= '{at}' and (valid_to is null or valid_to > '{at}')"
                ));
                prop_assert!(held.iter().all(|row| valid.contains(row)), "{table} at {at}: {valid:?}, not {held:?}");
                // A first version is valid from the start of its run: the run of this test shows it from the beginning.
                let early = valid.iter().find(|row| !held.contains(row) && !row.ends_with(" | 1"));
                prop_assert_eq!(early, None, "{} at {}", table, at);
                prop_assert_eq!(found(&format!("{table}_as_of where as_of = {as_of}")), valid, "{} as of {}", table, as_of);
            }
        }
        for (table, key, _) in CONTENT {
            let broken = store.rows(&format!(
                "select version from (
                     select version, valid_from, valid_to, lag(valid_to) over rows_life as former, row_number() over rows_life as nr
                     from {table}_versions window rows_life as (partition by account, {key} order by version)
                 )
                 where nr <> version or (nr > 1 and valid_from is not former) or valid_to < valid_from"
            ));
            prop_assert_eq!(broken, [""; 0], "{}: a gap or an overlap", table);
            let last = |source: &str| store.rows(&format!("select {key}, version from {source} order by 1, 2"));
            prop_assert_eq!(last(&format!("{table}_versions where valid_to is null")), last(table));
        }
    }
}
