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
        "cd src && bash ../deploy.sh",
        "cd src && ../deploy.sh",
        "cd src; bash ../deploy.sh",
        "cd src; ././../deploy.sh now",
        "(cd src/a && sh -x ../../deploy.sh)",
        "cd src && . ../deploy.sh",
        "cd src && env bash ../deploy.sh",
        "bash -c 'cd src; ../deploy.sh'",
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
fn a_machine_that_is_denied_is_not_reached_unasked_by_another_of_its_names() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in ["curl localhost:8080", "curl http://127.0.0.2/"] {
        assert_ne!(judged(&Rules::default(), line).verdict, Verdict::Ask, "{line}");
        assert_eq!(judged(&rules, line).verdict, Verdict::Ask, "{line}");
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

#[test]
fn what_a_pattern_may_find_of_what_is_denied_is_not_done_unasked() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in
        ["rm doc?/a", "rm -rf do*", "rm */a", "touch d*/a", "echo x > docs/?", "sed -i s/a/b/ **/a", "tar xf a.tar"]
    {
        assert_ne!(judged(&rules, line).verdict, Verdict::Allow, "{line}");
    }
    for line in ["rm -f src/*.o", "touch src/d*", "rm docs.d/*", "cat docs/*"] {
        assert_eq!(judged(&rules, line).verdict, Verdict::Allow, "{line}");
    }
}

#[test]
fn what_must_not_be_changed_is_not_changed_by_a_tool_of_another_kind() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in [
        "git mv docs/a b",
        "git mv a docs/",
        "git checkout HEAD docs/a",
        "git checkout docs/a",
        "git checkout -- docs",
        "git -C docs checkout -- a",
        "git restore docs/a",
        "git restore -s HEAD~1 docs",
        "git clean -fd docs",
        "black docs",
        "ruff check --fix docs/a.py",
        "ruff format docs",
        "prettier --write docs/a.md",
        "npx prettier --write docs/a.md",
        "./node_modules/.bin/prettier --write docs",
        "eslint --fix docs",
        "isort docs/conf.py",
        "gofmt -w docs/a.go",
        "rustfmt docs/a.rs",
        "clang-format -i docs/a.c",
        "cd src && clang-format -i ../docs/a.c",
        "sed -i s/a/b/ docs/a",
        "gcc -o docs/a a.c",
        "gcc a.c -odocs/a",
        "rustc --out-dir=docs a.rs",
        "go build -o docs/a .",
        "patch docs/a < x",
        "patch -o docs/a x y",
        "uv run black docs",
        "python -m black docs",
    ] {
        assert_eq!(judged(&rules, line).verdict, Verdict::Deny, "{line}");
    }
}

#[test]
fn what_may_change_what_must_not_be_changed_is_asked_about() {
    let rules = Rules::load("rules", RULES).unwrap();
    for line in [
        "black .",
        "ruff format",
        "ruff check --fix",
        "prettier --write .",
        "prettier --write '**/*.md'",
        "eslint --fix .",
        "isort .",
        "gofmt -w .",
        "go fmt ./...",
        "cargo fmt",
        "cd src && cargo clippy --fix",
        "patch -p1 < x",
        "git apply x.patch",
        "git checkout .",
        "git checkout -f",
        "git restore 'd*'",
        "git reset --hard",
    ] {
        assert_eq!(judged(&rules, line).verdict, Verdict::Ask, "{line}");
    }
    for line in [
        "black --check docs",
        "ruff check docs",
        "prettier --check docs",
        "eslint docs",
        "cargo fmt --check",
        "gofmt -l docs",
        "git restore --staged docs/a",
        "git checkout main",
        "gcc -o out docs/a.c",
        "rustfmt src/a.rs",
        "git apply --check x.patch",
    ] {
        assert_eq!(judged(&rules, line).verdict, Verdict::Allow, "{line}");
    }
}
