//! An audit log of which others take parts away.

use crate::audit::room::Home;

#[tokio::test]
async fn files_of_the_log_that_were_taken_away_are_named() {
    for name in ["checkpoint", "checkpoints"] {
        let home = Home::with_acts(3).await;
        std::fs::remove_file(home.folder().join(name)).unwrap();
        let report = home.verify();
        let named = report.findings.iter().any(|finding| finding.to_string().contains(&format!("`{name}`")));
        assert!(named && !report.is_whole(), "{name}: {report:?}");
    }
}

#[tokio::test]
async fn more_unsigned_records_than_a_crash_can_leave_are_not_whole() {
    let home = Home::with_acts(3000).await;
    let history = std::fs::read_to_string(home.folder().join("checkpoints")).unwrap();
    let first = history.split_inclusive("\n\n").take(2).collect::<String>();
    std::fs::write(home.folder().join("checkpoints"), &first).unwrap();
    std::fs::write(home.folder().join("checkpoint"), first.trim_end_matches('\n').to_owned() + "\n").unwrap();
    let report = home.verify();
    assert!(!report.is_whole(), "{} records of {} are not signed, and it is whole", report.newer, report.entries);
}
