use std::mem::discriminant;

use super::*;
use crate::record::{OrderPlace, Trade};

#[test]
fn one_stream_is_of_each_kind_that_others_ask_for() {
    let kinds: Vec<_> = CATALOGUE
        .iter()
        .map(|stream| stream.spec().kind)
        .filter(|kind| !matches!(kind, StreamKind::Plain))
        .collect();
    assert_eq!(kinds.len(), 4);
    for (at, kind) in kinds.iter().enumerate() {
        assert!(kinds[..at].iter().all(|other| discriminant(other) != discriminant(kind)), "{kind:?} twice");
    }
    assert!(matches!(orders().spec().kind, StreamKind::Orders { .. }));
    assert!(matches!(order_details().spec().kind, StreamKind::OrderDetails));
}

#[test]
fn each_stream_of_the_queue_says_which_orders_have_records_of_it() {
    for stream in CATALOGUE {
        assert_eq!(stream.spec().belongs_to.is_some(), stream.reading().is_by_order(), "{stream:?}");
    }
}

#[test]
fn a_table_whose_rows_belong_to_an_order_is_one_of_the_streams_own() {
    for stream in CATALOGUE {
        let Some(owned) = stream.owned_by_parent() else { continue };
        assert!(stream.tables().iter().any(|table| table.name == owned.table.name), "{stream:?}");
        assert!(owned.table.columns.iter().any(|column| column.name == owned.parent_column), "{stream:?}");
    }
}

#[test]
fn an_order_is_queued_for_the_streams_that_have_records_of_it() {
    const TYPES: [Option<i64>; 11] = [
        None,
        Some(1),
        Some(2),
        Some(3),
        Some(4),
        Some(10),
        Some(11),
        Some(13),
        Some(14),
        Some(15),
        Some(99),
    ];
    let queued = |trade| {
        let of = |(order_type, status)| {
            let place = OrderPlace { order_type, status, trade };
            let streams = CATALOGUE.iter().filter(|stream| stream.has_records_of(place));
            let initials: Vec<&str> = streams.map(|stream| &stream.name()[..3]).collect();
            format!("{order_type:?}: {}\n", initials.join(" "))
        };
        let all = |status| TYPES.map(|order_type| of((order_type, status))).concat();
        format!("completed\n{}else\n{}", all(Some(5)), all(Some(6)))
    };
    insta::assert_snapshot!(queued(Trade::Single), @r#"
    completed
    None: ord res
    Some(1): ord res
    Some(2): ord res
    Some(3): ord ref res
    Some(4): ord ref
    Some(10): ord ref
    Some(11): ord res
    Some(13): ord res
    Some(14): ord res
    Some(15): ord
    Some(99): ord res
    else
    None: ord
    Some(1): ord
    Some(2): ord
    Some(3): ord
    Some(4): ord ref
    Some(10): ord ref
    Some(11): ord
    Some(13): ord
    Some(14): ord
    Some(15): ord
    Some(99): ord
    "#);
    insta::assert_snapshot!(queued(Trade::Member), @r#"
    completed
    None: res
    Some(1): res
    Some(2): res
    Some(3): ref res
    Some(4): ref
    Some(10): ref
    Some(11): res
    Some(13): res
    Some(14): res
    Some(15): 
    Some(99): res
    else
    None: 
    Some(1): 
    Some(2): 
    Some(3): 
    Some(4): ref
    Some(10): ref
    Some(11): 
    Some(13): 
    Some(14): 
    Some(15): 
    Some(99): 
    "#);
    assert!(!queued(Trade::Combined).contains("re"), "its members have them");
}
