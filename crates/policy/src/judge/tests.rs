//! Judgements of acts whose effects are given by hand.

mod properties;

use super::*;
use crate::act::Role;
use crate::effects::{Nature, Reach, Run, Unclear};
use crate::place::Pattern;
use crate::rules::examples::around;

pub(super) fn run(nature: Nature, line: &str) -> Run {
    let mut words = line.split(' ').map(str::to_owned);
    let program = words.next().unwrap();
    let words: Vec<_> = words.map(Some).collect();
    let verb = words.first().cloned().flatten().filter(|_| nature != Nature::Unknown);
    Run { program, verb, words, nature, raised: false }
}

pub(super) fn runs(nature: Nature, line: &str) -> Effects {
    Effects { runs: vec![run(nature, line)], ..Effects::default() }
}

pub(super) fn file(path: &str) -> Target {
    Target::Path { path: Path::resolve(&around().cwd, path), deep: false }
}

pub(super) fn deep(path: &str) -> Target {
    Target::Path { path: Path::resolve(&around().cwd, path), deep: true }
}

fn within(path: &str) -> Target {
    Target::Within(Pattern::new(Path::resolve(&around().cwd, path), "*", true))
}

fn touches(access: Access, target: Target) -> Effects {
    let targets = vec![target];
    match access {
        Access::Read => Effects { reads: targets, ..Effects::default() },
        Access::Write => Effects { writes: targets, ..Effects::default() },
        Access::Delete => Effects { deletes: targets, ..Effects::default() },
    }
}

fn reaches(host: &str, port: u16) -> Effects {
    Effects { reaches: vec![Reach { host: Some(host.to_owned()), port: Some(port) }], ..Effects::default() }
}

fn unclear() -> Effects {
    let unclear = Unclear { text: "$X".to_owned(), why: "the name of the program depends on a variable".to_owned() };
    Effects { unclear: vec![unclear], ..Effects::default() }
}

pub(super) fn and(mut one: Effects, other: Effects) -> Effects {
    one.runs.extend(other.runs);
    one.reads.extend(other.reads);
    one.writes.extend(other.writes);
    one.deletes.extend(other.deletes);
    one.reaches.extend(other.reaches);
    one.unclear.extend(other.unclear);
    one
}

pub(super) fn actor(role: Role) -> Actor {
    Actor { name: format!("the {}", role.name()), role }
}

/// A command whose text says nothing: the effects are given.
pub(super) fn command() -> Act {
    Act::Command { line: "given".to_owned(), cwd: around().cwd }
}

pub(super) fn rules(text: &str) -> Rules {
    Rules::load("policy.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) const NOW: u64 = 1_763_767_800;

pub(super) fn now() -> Moment {
    Moment::at(NOW, 0)
}

fn weigh(rules: &Rules, grants: &Grants, role: Role, effects: &Effects) -> Judgement {
    let judge = Judge { rules, grants, session: Some("s") };
    judge.weigh(&actor(role), &command(), effects.clone(), &around(), now())
}

fn agent(rules: &Rules, effects: &Effects) -> Verdict {
    weigh(rules, &Grants::default(), Role::Agent, effects).verdict
}

fn built_in(role: Role, effects: &Effects, confined: bool) -> Verdict {
    let (rules, grants) = (Rules::default(), Grants::default());
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let around = Surroundings { confined, ..around() };
    judge.weigh(&actor(role), &command(), effects.clone(), &around, now()).verdict
}

use Verdict::{Allow, Ask, Deny};

#[test]
fn a_run_is_judged_by_its_nature_and_a_confined_one_is_left_to_what_keeps_it_in() {
    for (nature, open, confined) in [
        (Nature::Looks, Allow, Allow),
        (Nature::Targets, Allow, Allow),
        (Nature::Builds, Allow, Allow),
        (Nature::Fetches, Ask, Ask),
        (Nature::Publishes, Ask, Ask),
        (Nature::Code, Ask, Allow),
        (Nature::Destroys, Ask, Ask),
        (Nature::Unknown, Ask, Allow),
    ] {
        let effects = runs(nature, "program word");
        assert_eq!(built_in(Role::Agent, &effects, false), open, "{nature:?}");
        assert_eq!(built_in(Role::Agent, &effects, true), confined, "{nature:?}");
        let raised = Effects { runs: vec![Run { raised: true, ..run(nature, "program") }], ..Effects::default() };
        assert_eq!(built_in(Role::Agent, &raised, true), Ask, "raised {nature:?}");
    }
    assert_eq!(built_in(Role::Agent, &unclear(), true), Ask);
    assert_eq!(built_in(Role::Agent, &reaches("crates.io", 443), true), Ask);
}

#[test]
fn a_target_is_judged_by_its_place() {
    for (path, read, write, delete) in [
        ("src/main.rs", Allow, Allow, Allow),
        ("/tmp/x", Allow, Allow, Allow),
        ("/dev/null", Allow, Allow, Allow),
        ("/etc/hosts", Allow, Ask, Ask),
        (".env", Ask, Ask, Ask),
        ("/home/user/.ssh/config", Ask, Ask, Ask),
        (".git/hooks/pre-commit", Allow, Deny, Deny),
        ("/dev/sda", Deny, Deny, Deny),
    ] {
        for (access, expected) in [(Access::Read, read), (Access::Write, write), (Access::Delete, delete)] {
            assert_eq!(built_in(Role::Agent, &touches(access, file(path)), false), expected, "{access:?} {path}");
        }
    }
    for access in Access::ALL {
        let unknown = touches(access, Target::Unknown("$X".to_owned()));
        assert_eq!(built_in(Role::Agent, &unknown, true), Ask);
    }
}

#[test]
fn what_takes_everything_with_it_is_judged_by_what_it_takes() {
    for (access, target, expected) in [
        (Access::Delete, deep("."), Deny),
        (Access::Delete, deep("/"), Deny),
        (Access::Delete, within("/"), Deny),
        (Access::Delete, deep("/home"), Deny),
        (Access::Delete, deep("/home/user"), Deny),
        (Access::Delete, within("/home/user"), Deny),
        (Access::Delete, within("."), Ask),
        (Access::Delete, deep("build"), Allow),
        (Access::Delete, within("build"), Allow),
        (Access::Delete, deep("/tmp"), Ask),
        (Access::Delete, deep("/etc"), Ask),
        (Access::Write, deep("."), Ask),
        (Access::Write, within("."), Allow),
        (Access::Write, deep("/"), Ask),
        (Access::Read, deep("."), Allow),
        (Access::Read, deep("/usr"), Allow),
        (Access::Read, deep("/home"), Ask),
        (Access::Read, within("/home/user"), Ask),
    ] {
        assert_eq!(built_in(Role::Agent, &touches(access, target.clone()), false), expected, "{access:?} {target:?}");
    }
    let (rules, grants) = (Rules::default(), Grants::default());
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let around = Surroundings { protected: vec![Path::absolute("/workspace/state/capstan")], ..around() };
    let judged =
        |access, target| judge.weigh(&actor(Role::Agent), &command(), touches(access, target), &around, now()).verdict;
    assert_eq!(judged(Access::Delete, deep("state")), Deny);
    assert_eq!(judged(Access::Write, deep("state")), Ask);
    assert_eq!(judged(Access::Read, deep("state")), Allow);
}

#[test]
fn a_link_out_of_the_workspace_is_asked_about_because_what_is_written_to_it_lands_elsewhere() {
    for (line, expected) in [
        ("ln -s src/a b", Allow),
        ("ln -s /workspace/src/a b", Allow),
        ("ln -s /etc a", Ask),
        ("ln -s ../other a", Ask),
        ("ln -s ~/x a", Ask),
        ("cp /etc/x a", Allow),
    ] {
        assert_eq!(built_in(Role::Agent, &runs(Nature::Targets, line), false), expected, "{line}");
        assert_eq!(built_in(Role::Agent, &runs(Nature::Targets, line), true), Allow, "{line}: kept in by the kernel");
    }
}

#[test]
fn only_owners_and_agents_act_and_an_owner_is_asked_about_what_cannot_be_undone() {
    let unknown = runs(Nature::Unknown, "program");
    for (role, expected) in [
        (Role::Owner, Allow),
        (Role::Operator, Deny),
        (Role::Reviewer, Deny),
        (Role::Auditor, Deny),
        (Role::Agent, Ask),
        (Role::Subagent, Ask),
    ] {
        assert_eq!(built_in(role, &unknown, false), expected, "{role:?}");
    }
    assert_eq!(built_in(Role::Owner, &touches(Access::Delete, deep("/")), false), Ask);
    assert_eq!(built_in(Role::Owner, &touches(Access::Write, file("/dev/sda")), false), Ask);
    assert_eq!(built_in(Role::Auditor, &Effects::default(), false), Deny, "also what does nothing");
}

#[test]
fn acts_that_are_no_commands_are_judged_by_what_they_are() {
    let (rules, grants) = (Rules::default(), Grants::default());
    let judge = Judge { rules: &rules, grants: &grants, session: None };
    let hash = Hash::of(b"");
    let path = |text| Path::resolve(&around().cwd, text);
    let change = |write, delete| Act::Change { writes: vec![path(write)], deletes: vec![path(delete)], content: hash };
    for (act, agent, subagent) in [
        (Act::Read { paths: vec![path("a")] }, Allow, Allow),
        (Act::Read { paths: vec![path("a"), path(".env")] }, Ask, Deny),
        (change("a", "b"), Allow, Allow),
        (change("a", ".git/config"), Deny, Deny),
        (Act::Connect { host: "crates.io".to_owned(), port: 443 }, Ask, Ask),
        (Act::Tool { server: "s".to_owned(), name: "t".to_owned(), arguments: hash }, Ask, Ask),
        (Act::Ask { model: "p/m".to_owned(), request: hash }, Allow, Allow),
        (Act::Spawn { task: "look".to_owned() }, Allow, Deny),
        (Act::Command { line: String::new(), cwd: path("/etc") }, Ask, Ask),
    ] {
        for (role, expected) in [(Role::Agent, agent), (Role::Subagent, subagent)] {
            assert_eq!(judge.judge(&actor(role), &act, &around(), now()).verdict, expected, "{role:?} {act:?}");
        }
    }
}

#[test]
fn of_the_rules_that_speak_of_a_part_the_strictest_wins_and_a_built_in_denial_stays() {
    let all = rules(
        "[rule.a]\nverdict = 'allow'\nwrites = ['/etc/**', '.git/**']\nreason = 'r'\n\
         [rule.b]\nverdict = 'ask'\nwrites = ['/etc/hosts', 'docs/**']\nreason = 'r'\n\
         [rule.c]\nverdict = 'deny'\nwrites = ['/etc/passwd']\nreason = 'never'\n",
    );
    for (path, expected, rule) in [
        ("/etc/motd", Allow, Some("a")),
        ("/etc/hosts", Ask, Some("b")),
        ("/etc/passwd", Deny, Some("c")),
        ("docs/a", Ask, Some("b")),
        ("src/a", Allow, None),
        ("/opt/a", Ask, None),
        (".git/config", Deny, None),
    ] {
        let judged = weigh(&all, &Grants::default(), Role::Agent, &touches(Access::Write, file(path)));
        assert_eq!((judged.verdict, judged.findings[0].rule.as_deref()), (expected, rule), "{path}");
    }
}

#[test]
fn a_rule_that_allows_covers_its_part_and_no_other() {
    let all = rules("[rule.a]\nverdict = 'allow'\nrun = ['deploy **']\nreason = 'r'\n");
    let deploy = runs(Nature::Unknown, "deploy now");
    assert_eq!(agent(&all, &deploy), Allow);
    for other in [
        runs(Nature::Unknown, "other"),
        touches(Access::Write, file("/home/user/.bashrc")),
        reaches("evil.example", 443),
        unclear(),
    ] {
        assert_eq!(agent(&all, &and(deploy.clone(), other)), Ask);
    }
    assert_eq!(agent(&all, &and(deploy.clone(), touches(Access::Write, file("a")))), Allow);
    assert_eq!(agent(&all, &Effects { runs: vec![Run { raised: true, ..deploy.runs[0].clone() }], ..deploy }), Ask);
}

#[test]
fn a_host_that_cannot_be_told_is_allowed_with_the_programs_whose_settings_tell_it() {
    let hidden = || Effects { reaches: vec![Reach { host: None, port: None }], ..Effects::default() };
    let add = || and(runs(Nature::Fetches, "cargo add x"), hidden());
    let by_words = Run { verb: None, ..run(Nature::Fetches, "curl x") };
    let curl = || and(Effects { runs: vec![by_words.clone()], ..Effects::default() }, hidden());
    let variable = Run { words: vec![Some("push".to_owned()), None], ..run(Nature::Publishes, "git push") };
    let all = rules("[rule.a]\nverdict = 'allow'\nrun = ['cargo add **', 'curl **', 'git push **']\nreason = 'r'\n");
    for (effects, expected) in [
        (add(), Allow),
        (and(add(), runs(Nature::Fetches, "cargo add y")), Allow),
        (and(add(), runs(Nature::Looks, "dig")), Ask),
        (and(add(), reaches("evil.example", 443)), Ask),
        (curl(), Ask),
        (and(add(), curl()), Ask),
        (and(Effects { runs: vec![variable], ..Effects::default() }, hidden()), Ask),
        (hidden(), Ask),
    ] {
        assert_eq!(agent(&all, &effects), expected, "{effects:?}");
        assert_eq!(agent(&Rules::default(), &effects), Ask, "{effects:?}");
    }
    let hosts = rules("[rule.a]\nverdict = 'allow'\nhosts = ['crates.io']\nreason = 'r'\n");
    let known = Effects { runs: curl().runs, ..reaches("crates.io", 443) };
    assert_eq!(agent(&hosts, &known), Allow, "the host was all there was to ask about");
    assert_eq!(agent(&hosts, &and(known, hidden())), Ask);
}

#[test]
fn a_rule_that_denies_holds_if_each_kind_it_names_has_a_part_that_is_meant() {
    let all = rules("[rule.a]\nverdict = 'deny'\nrun = ['curl **']\nhosts = ['evil.example']\nreason = 'r'\n");
    let curl = runs(Nature::Targets, "curl x");
    assert_eq!(agent(&all, &curl), Allow);
    assert_eq!(agent(&all, &reaches("evil.example", 443)), Ask);
    assert_eq!(agent(&all, &and(curl.clone(), reaches("evil.example", 443))), Deny);
    let hidden = Effects { reaches: vec![Reach { host: None, port: None }], ..Effects::default() };
    let judged = weigh(&all, &Grants::default(), Role::Agent, &and(curl, hidden));
    assert_eq!(judged.verdict, Ask, "what only may be forbidden is asked about");
    assert!(judged.findings[0].why.starts_with("may be forbidden"), "{:?}", judged.findings);
}

#[test]
fn paths_and_places_of_a_rule_hold_together_and_ways_of_touching_each_by_itself() {
    let all = rules(
        "[rule.a]\nverdict = 'deny'\nplaces = ['secret']\nreads = ['**']\nreason = 'r'\n\
         [rule.b]\nverdict = 'ask'\nwrites = ['docs/**']\ndeletes = ['docs/**']\nreason = 'r'\n\
         [rule.c]\nverdict = 'deny'\nplaces = ['outside']\nreason = 'r'\n",
    );
    for (access, path, expected) in [
        (Access::Read, ".env", Deny),
        (Access::Read, "/home/user/.netrc", Ask),
        (Access::Write, ".env", Ask),
        (Access::Read, "docs/a", Allow),
        (Access::Write, "docs/a", Ask),
        (Access::Delete, "docs/a", Ask),
        (Access::Read, "/etc/hosts", Deny),
    ] {
        assert_eq!(agent(&all, &touches(access, file(path))), expected, "{access:?} {path}");
    }
}

#[test]
fn a_rule_without_a_subject_holds_for_all_acts_of_its_actors_and_times() {
    let all = rules(
        "[rule.freeze]\nverdict = 'deny'\ntimes = ['fri 18:00-24:00']\nroles = ['agent']\nreason = 'weekend'\n\
         [rule.guest]\nverdict = 'ask'\nactors = ['guest-*']\nreason = 'unknown people'\n",
    );
    let (grants, looks) = (Grants::default(), runs(Nature::Looks, "ls"));
    let judge = Judge { rules: &all, grants: &grants, session: None };
    let verdict = |name: &str, role, seconds| {
        let actor = Actor { name: name.to_owned(), role };
        judge.weigh(&actor, &command(), looks.clone(), &around(), Moment::at(seconds, 0)).verdict
    };
    let later = NOW + 60 * 60;
    assert_eq!(verdict("a", Role::Agent, NOW), Deny);
    assert_eq!(verdict("a", Role::Subagent, NOW), Deny, "what holds for an agent holds for its subagents");
    assert_eq!(verdict("a", Role::Owner, NOW), Allow);
    assert_eq!(verdict("a", Role::Agent, later), Allow);
    assert_eq!(verdict("guest-7", Role::Agent, later), Ask);
}

#[test]
fn tools_and_models_are_meant_by_name() {
    let all = rules(
        "[rule.a]\nverdict = 'allow'\ntools = ['github/get_*']\nreason = 'r'\n\
         [rule.b]\nverdict = 'deny'\nmodels = ['cloud/*']\nreason = 'r'\n",
    );
    let grants = Grants::default();
    let judge = Judge { rules: &all, grants: &grants, session: None };
    let tool = |name: &str| Act::Tool { server: "github".to_owned(), name: name.to_owned(), arguments: Hash::of(b"") };
    let model = |name: &str| Act::Ask { model: name.to_owned(), request: Hash::of(b"") };
    for (act, expected) in
        [(tool("get_issue"), Allow), (tool("create_issue"), Ask), (model("cloud/m"), Deny), (model("local/m"), Allow)]
    {
        assert_eq!(judge.judge(&actor(Role::Agent), &act, &around(), now()).verdict, expected, "{act:?}");
    }
}

#[test]
fn the_default_is_for_what_is_not_known() {
    let unknowns =
        [runs(Nature::Unknown, "program"), unclear(), touches(Access::Write, Target::Unknown("$X".to_owned()))];
    for verdict in Verdict::ALL {
        let all = rules(&format!("default = '{verdict}'"));
        for unknown in &unknowns {
            assert_eq!(agent(&all, unknown), verdict, "{unknown:?}");
        }
        assert_eq!(agent(&all, &runs(Nature::Publishes, "git push")), Ask);
        assert_eq!(agent(&all, &runs(Nature::Looks, "ls")), Allow);
    }
}

#[test]
fn who_does_too_much_at_once_is_told_to_split_it() {
    let many = |count: usize| Effects {
        reads: (0..count).map(|number| file(&format!("{number}"))).collect(),
        ..runs(Nature::Looks, "ls")
    };
    assert_eq!(agent(&Rules::default(), &many(MAX_PARTS - 2)), Allow);
    let judged = weigh(&Rules::default(), &Grants::default(), Role::Agent, &many(MAX_PARTS));
    assert_eq!((judged.verdict, judged.findings.len()), (Deny, 1));
    assert!(judged.findings[0].why.ends_with("things at once: split it"));
}

#[test]
fn findings_say_for_each_part_what_was_found_and_by_which_rule() {
    let all = rules("[rule.net]\nverdict = 'deny'\nhosts = ['*']\nreason = 'no network here'\n");
    let effects =
        and(and(runs(Nature::Looks, "ls -l"), touches(Access::Write, file("/etc/hosts"))), reaches("a.b", 80));
    let judged = weigh(&all, &Grants::default(), Role::Agent, &and(effects.clone(), effects));
    let lines: Vec<_> = judged.findings.iter().map(|one| (one.verdict, one.part.as_str(), one.why.as_str())).collect();
    assert_eq!(
        lines,
        [
            (Allow, "runs ls -l", "looks and changes nothing"),
            (Ask, "writes /etc/hosts", "writes outside the workspace: /etc/hosts"),
            (Deny, "reaches a.b:80", "no network here"),
        ]
    );
    assert_eq!(judged.because().map(|one| one.rule.as_deref()).collect::<Vec<_>>(), [Some("net")]);
    assert_eq!(judged.version, all.version());
}
