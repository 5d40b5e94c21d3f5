//! The table of faults.

use std::collections::BTreeSet;

use world::faults::{NAMES, table};

#[test]
fn whatever_the_fault_no_call_is_lost_and_no_item_is_there_twice() {
    let rows = table().unwrap();
    for row in &rows {
        assert_eq!((row.lost, row.doubled), (0, 0), "{row}");
    }
    let named: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(named, NAMES.iter().copied().collect(), "each fault has a row");
}
