//! Codes of the vendor's documents (vendor-contract.md §9).

pub(super) const ORDER_STATUS: &[&str] = &["1", "2", "3", "4", "5", "6", "9", "10", "11", "12", "13"];
pub(super) const ORDER_TYPE: &[&str] = &["1", "2", "3", "4", "10", "11", "13", "14", "15"];
pub(super) const ORDER_SOURCE: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8"];
pub(super) const DISCOUNT_TYPE: &[&str] = &[
    "200", "300", "301", "302", "500", "501", "502", "600", "601", "602", "603", "604", "605", "606", "607",
    "609", "610", "700", "800", "900", "901",
];
pub(super) const PERIOD_TYPE: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7"];
pub(super) const RESOURCE_STATUS: &[&str] = &["2", "3", "4", "5"];
pub(super) const EXPIRE_POLICY: &[&str] = &["0", "1", "2", "3", "4", "5"];
pub(super) const YES_NO: &[&str] = &["0", "1"];
pub(super) const ASSOCIATION_TYPE: &[&str] = &["1", "2", "3"];
pub(super) const VERIFIED_STATUS: &[&str] = &["-1", "0", "1", "2"];
pub(super) const CUSTOMER_TYPE: &[&str] = &["-1", "0", "1"];
pub(super) const FROZEN: &[&str] = &["0", "1", "2"];
pub(super) const CUSTOMER_LEVEL: &[&str] = &["V0", "V1", "V2", "V3", "V4", "V5"];
