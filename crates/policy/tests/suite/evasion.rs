//! What a rule denies is denied however it is written.

use policy::rules::Rules;
use policy::verdict::Verdict;

use super::support::judged;

const RULES: &str = r#"
[rule.deny]
verdict = "deny"
run = ["git push **", "npm publish **", "cargo publish **", "./deploy.sh **"]
reason = "no"
[rule.host]
verdict = "deny"
hosts = ["evil.example", "127.0.0.1"]
reason = "no"
[rule.docs]
verdict = "deny"
writes = ["docs/**"]
deletes = ["docs/**"]
reason = "no"
[rule.all]
verdict = "allow"
nature = ["publishes", "fetches", "targets", "destroys", "builds"]
reason = "yes"
[rule.hosts]
verdict = "allow"
hosts = ["*"]
reason = "yes"
"#;

#[test]
fn what_is_denied_is_denied_however_it_is_written() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in [
        "git push",
        "git --no-pager push",
        "git -C . push",
        "git -C push push",
        "git -c user.name=x push",
        "sudo git -C . push",
        "npm -q publish",
        "cargo +nightly publish",
        "./deploy.sh x",
        "/work/project/deploy.sh",
        "src/../deploy.sh",
        "bash deploy.sh",
        "bash -x ./deploy.sh now",
        "bash -o pipefail /work/project/deploy.sh",
        "curl https://evil.example./x",
        "curl http://2130706433/",
        "curl http://127.1/",
        "ssh evil.example.",
    ] {
        assert_eq!(judged(&rules, line).verdict, Verdict::Deny, "{line}");
    }
}

#[test]
fn what_is_not_denied_is_not_mistaken_for_it() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in ["git --no-pager log push", "npm -q view publish", "./src/deploy.sh", "cat deploy.sh", "bash x.sh"] {
        assert_ne!(judged(&rules, line).verdict, Verdict::Deny, "{line}");
    }
}

#[test]
fn an_allowed_program_is_the_one_of_that_path() {
    let text = "[rule.a]\nverdict = \"allow\"\nreason = \"r\"\nrun = [\"./tool **\", \"installed **\"]";
    let rules = Rules::load("rules", text).unwrap();
    for (line, expected) in [
        ("/work/project/tool", Verdict::Allow),
        ("installed x", Verdict::Allow),
        ("/opt/x/tool", Verdict::Ask),
        ("cd $X; ./tool", Verdict::Ask),
        ("/opt/installed x", Verdict::Ask),
    ] {
        assert_eq!(judged(&rules, line).verdict, expected, "{line}");
    }
}
