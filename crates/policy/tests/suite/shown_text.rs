//! What a person is asked on a terminal moves no cursor.

use policy::gate::Ruling;
use policy::report;
use policy::rules::Rules;

use super::support::{command, judged};

#[test]
fn why_somebody_is_asked_moves_no_cursor() {
    for line in [
        r"rm $'/home/u/x\r\e[2K\nallow  nothing to see'",
        "rm '/home/u/x\nallow  nothing to see'",
        r"curl $'https://a.example/\e[2K'",
        "python -c 'a\nb'",
    ] {
        let judgement = judged(&Rules::default(), line);
        let by = Ruling::from(&judgement).by;
        assert!(!by.is_empty() && !by.concat().contains(char::is_control), "{by:?}");
        let odd = |letter: char| letter.is_control() && letter != '\n';
        let report = report::judgement(&judgement);
        assert!(!report.contains(odd), "{report:?}");
        assert_eq!(report.lines().count(), judgement.findings.len() + 2, "{report}");
    }
}

#[test]
fn a_line_break_is_not_shown_as_a_space() {
    let by = Ruling::from(&judged(&Rules::default(), "rm '/home/u/x\ny'")).by.concat();
    assert!(by.contains(r"/home/u/x\ny"), "{by}");
    assert_eq!(report::act(&command("a\nb")), r"a\nb");
}
