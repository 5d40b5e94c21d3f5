//! Questions, and who may answer which of them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use policy::act::{Act, Hash, Role};
use policy::approval::{Answer, Question, Said, Unheard, may_answer};
use policy::gate::{Bound, Gate, Gated, MAX_SHOWN, Outcome, Refusal, Ruling};
use policy::grants::Grants;
use policy::judge::Judge;
use policy::place::{Path, Surroundings};
use policy::rules::{Moment, Rules, Weekday};
use policy::verdict::Verdict;

use super::log::{
    Command, Log, Mood, actor, answer, call, command, done, full, judged, now, poll, question, ready, ruling, too_late,
    wanted,
};

fn answered(log: &Log, question: Question<Command>, answer: &Answer) -> Gated<Command> {
    ready(Gate::new(log.clone()).answered(question, answer, now())).unwrap()
}

fn refused<A: std::fmt::Debug>(gated: Gated<A>) -> Refusal {
    match gated {
        Gated::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_is_written_down_and_shows_what_it_is_about() {
    let log = Log::new(Mood::Well);
    let question = question(&log);
    assert_eq!(log.told(), ["asked c1"]);
    assert_eq!(question.act(), &command("ls").act());
    assert_eq!((question.case().what(), question.case().on().as_str()), ("command", "ls"));
    assert_eq!(question.by(), ruling(Verdict::Ask).by);
    assert_eq!((question.until(), question.unheard()), (too_late(), None));
}

#[test]
fn yes_makes_a_permit() {
    let log = Log::new(Mood::Well);
    let question = question(&log);
    let yes = answer(&question, Said::Yes);
    let Gated::Permitted(permit) = answered(&log, question, &yes) else { panic!("not permitted") };
    assert_eq!(permit.hash(), yes.hash);
    let (payload, open) = permit.open();
    assert_eq!(payload, command("ls"));
    ready(open.finish(done())).unwrap();
    assert_eq!(log.told(), ["asked c1", "answered c1 yes", "begun c1 allow by answer", "ended c1 done"]);
}

#[test]
fn no_is_a_refusal_with_its_reason() {
    for (reason, told) in [("", "some owner said no"), ("not on a Friday", "some owner said no: not on a Friday")] {
        let log = Log::new(Mood::Well);
        let question = question(&log);
        let no = Answer { reason: reason.to_owned(), ..answer(&question, Said::No) };
        let refusal = refused(answered(&log, question, &no));
        assert_eq!(refusal.to_string(), format!("command `ls` was not done: {told}"));
        assert_eq!(log.told(), ["asked c1", "answered c1 no", "begun c1 deny by answer", "ended c1 refused"]);
    }
}

#[test]
fn who_may_answer_is_an_owner_or_a_reviewer() {
    let may: Vec<Role> = Role::ALL.into_iter().filter(|role| may_answer(*role)).collect();
    assert_eq!(may, [Role::Owner, Role::Reviewer]);
}

#[test]
fn an_answer_that_does_not_count_leaves_the_question_open() {
    let log = Log::new(Mood::Well);
    let right = answer(&question(&log), Said::Yes);
    let not_by = |role| (Answer { by: actor(role), ..right.clone() }, Unheard::MayNot(role));
    let other_call = (Answer { call: call("c2"), ..right.clone() }, Unheard::OtherCall);
    let changed = (Answer { hash: Hash::of(b"what it was before"), ..right.clone() }, Unheard::Changed);
    let act_only = (Answer { hash: command("ls").act().hash(), ..right.clone() }, Unheard::Changed);
    let by_roles = [Role::Operator, Role::Auditor, Role::Agent, Role::Subagent].map(not_by);
    for (wrong, why) in [other_call, changed, act_only].into_iter().chain(by_roles) {
        for said in [Said::Yes, Said::No] {
            let log = Log::new(Mood::Well);
            let wrong = Answer { said, ..wrong.clone() };
            let Gated::Asked(open) = answered(&log, question(&log), &wrong) else { panic!("{wrong:?} counted") };
            assert_eq!(open.unheard(), Some(why));
            assert_eq!(log.told(), ["asked c1".to_owned(), format!("answered c1 {} unheard", said.name())]);
            assert!(matches!(answered(&log, open, &right), Gated::Permitted(_)));
        }
    }
}

#[test]
fn an_approval_does_not_survive_a_changed_call() {
    let log = Log::new(Mood::Well);
    let approved = answer(&question(&log), Said::Yes);
    let other_variables = Command { variables: "PATH=/tmp".to_owned(), ..command("ls") };
    for changed in [command("ls -a"), other_variables] {
        let gate = Gate::new(log.clone());
        let gated = ready(gate.judged(wanted(changed), |_, _| ruling(Verdict::Ask))).unwrap();
        let Gated::Asked(question) = gated else { panic!("not asked") };
        let Gated::Asked(open) = answered(&log, question, &approved) else { panic!("an old approval counted") };
        assert_eq!(open.unheard(), Some(Unheard::Changed));
    }
}

#[test]
fn an_answer_that_comes_late_is_a_refusal() {
    let log = Log::new(Mood::Well);
    let question = question(&log);
    let yes = answer(&question, Said::Yes);
    let gated = ready(Gate::new(log.clone()).answered(question, &yes, too_late())).unwrap();
    assert_eq!(
        refused(gated).to_string(),
        "command `ls` was not done: nobody answered in time; ask again when somebody is there"
    );
    assert_eq!(log.told(), ["asked c1", "answered c1 yes unheard", "begun c1 deny by expiry", "ended c1 refused"]);
}

/// What becomes something else inside.
#[derive(Debug)]
struct Shared(Rc<RefCell<String>>);

impl Bound for Shared {
    fn act(&self) -> Act {
        command(&self.0.borrow()).act()
    }

    fn rest(&self) -> Hash {
        Hash::of(&[])
    }
}

#[test]
fn an_approval_does_not_survive_a_payload_that_changes() {
    for (said, told) in [(Said::Yes, "answered c1 yes unheard"), (Said::No, "answered c1 no")] {
        let log = Log::new(Mood::Well);
        let gate = Gate::new(log.clone());
        let line = Rc::new(RefCell::new("ls".to_owned()));
        let asked = ready(gate.judged(wanted(Shared(line.clone())), |_, _| ruling(Verdict::Ask))).unwrap();
        let Gated::Asked(question) = asked else { panic!("not asked") };
        let answer = answer(&question, said);
        "rm -rf /".clone_into(&mut line.borrow_mut());
        let after = ready(gate.answered(question, &answer, now())).unwrap();
        assert_eq!(log.told().get(1).map(String::as_str), Some(told));
        match after {
            Gated::Asked(open) => assert_eq!((said, open.unheard()), (Said::Yes, Some(Unheard::Changed))),
            Gated::Refused(_) => assert_eq!(said, Said::No),
            Gated::Permitted(permit) => panic!("permitted what nobody approved: {permit:?}"),
        }
    }
}

#[test]
fn a_question_expires_when_its_time_is_over_and_not_before() {
    let log = Log::new(Mood::Well);
    let gate = Gate::new(log.clone());
    let before = too_late() - Duration::from_nanos(1);
    let Gated::Asked(open) = ready(gate.expired(question(&log), before)).unwrap() else { panic!("not open") };
    assert_eq!(log.told(), ["asked c1"]);
    refused(ready(gate.expired(open, too_late())).unwrap());
    assert_eq!(log.told(), ["asked c1", "begun c1 deny by expiry", "ended c1 refused"]);
}

#[test]
fn after_a_restart_a_question_is_not_asked_twice() {
    let log = Log::new(Mood::Well);
    let yes = answer(&question(&log), Said::Yes);
    let gate = Gate::new(log.clone());
    let again = |payload, verdict| ready(gate.judged_again(wanted(payload), yes.hash, |_, _| ruling(verdict))).unwrap();

    let Gated::Asked(question) = again(command("ls"), Verdict::Ask) else { panic!("not asked") };
    assert_eq!(log.told(), ["asked c1"]);
    assert!(matches!(answered(&log, question, &yes), Gated::Permitted(_)));
}

#[test]
fn after_a_restart_a_changed_call_is_asked_about_anew() {
    let log = Log::new(Mood::Well);
    let yes = answer(&question(&log), Said::Yes);
    let gate = Gate::new(log.clone());
    let gated = ready(gate.judged_again(wanted(command("ls -a")), yes.hash, |_, _| ruling(Verdict::Ask))).unwrap();
    let Gated::Asked(question) = gated else { panic!("not asked") };
    assert_eq!(log.told(), ["asked c1", "asked c1"]);
    assert!(matches!(answered(&log, question, &yes), Gated::Asked(_)));
}

#[test]
fn after_a_restart_the_rules_of_today_hold() {
    let log = Log::new(Mood::Well);
    let asked = question(&log).case().input;
    let gate = Gate::new(log);
    let again = |verdict| ready(gate.judged_again(wanted(command("ls")), asked, |_, _| ruling(verdict))).unwrap();
    assert!(matches!(again(Verdict::Allow), Gated::Permitted(_)));
    assert!(matches!(again(Verdict::Deny), Gated::Refused(_)));
}

#[test]
fn the_rules_are_asked_about_the_very_act() {
    let log = Log::new(Mood::Well);
    let judge = |by: &policy::act::Actor, act: &Act| {
        assert_eq!((by, act), (&actor(Role::Agent), &command("ls").act()));
        ruling(Verdict::Allow)
    };
    assert!(ready(Gate::new(log).judged(wanted(command("ls")), judge)).is_ok());
}

#[test]
fn a_refusal_by_a_judge_says_which_part_is_forbidden_and_why() {
    let around = Surroundings {
        cwd: Path::absolute("/work"),
        home: Path::absolute("/home/a"),
        workspace: vec![Path::absolute("/work")],
        protected: Vec::new(),
        temporary: Vec::new(),
        confined: false,
    };
    let text = "[rule.crates]\nverdict = \"deny\"\nreason = \"crates are frozen\"\nwrites = [\"crates/**\"]";
    let rules = Rules::load("rules.toml", text).unwrap();
    let judge = Judge { rules: &rules, grants: &Grants::default(), session: None };
    let moment = Moment { seconds: 0, weekday: Weekday::Monday, minute_of_day: 0 };
    let act =
        Act::Change { writes: vec![Path::absolute("/work/crates/a")], deletes: Vec::new(), content: Hash::of(b"") };

    let gate = Gate::new(Log::new(Mood::Well));
    let gated = gate.judged(wanted(act), |by, act| Ruling::from(&judge.judge(by, act, &around, moment)));
    let refusal = refused(ready(gated).unwrap());
    assert_eq!(
        refusal.to_string(),
        "change `/work/crates/a` was not done: writes /work/crates/a: crates are frozen (rule crates); do it in another \
         way, or change the rules"
    );
}

#[test]
fn an_answer_that_cannot_be_written_down_permits_nothing() {
    for mood in [Mood::NotDurable, Mood::NoRoom, Mood::DurablePends] {
        let log = Log::new(Mood::Well);
        let question = question(&log);
        let yes = answer(&question, Said::Yes);
        log.becomes(mood);
        let gated = poll(Gate::new(log.clone()).answered(question, &yes, now()));
        assert_eq!(gated.map(Result::unwrap_err), (mood != Mood::DurablePends).then(full));
        assert_eq!(log.told(), ["asked c1", "answered c1 yes"]);
    }
}

#[test]
fn what_does_not_count_says_what_to_do() {
    let table = [
        (Unheard::OtherCall, "this answers the question about another call: answer the one that is open"),
        (Unheard::Changed, "the call is not the one that was approved: look at what it is now, and answer again"),
        (Unheard::MayNot(Role::Agent), "the role agent may not answer: an owner or a reviewer has to"),
        (Unheard::Late, "the time for an answer was over: let it be asked again"),
    ];
    for (unheard, told) in table {
        assert_eq!(unheard.to_string(), told);
    }
}

#[test]
fn a_rule_book_without_a_word_refuses_with_advice() {
    let silent = Ruling { by: Vec::new(), ..ruling(Verdict::Deny) };
    let gate = Gate::new(Log::new(Mood::Well));
    let refusal = refused(ready(gate.judged(wanted(command("ls")), |_, _| silent)).unwrap());
    assert_eq!(refusal.to_string(), "command `ls` was not done: nothing allows it; add a rule that does");
}

#[test]
fn every_act_is_shown_by_its_kind_and_what_it_is_about() {
    let (path, other) = (Path::absolute("/work/a"), Path::absolute("/work/b"));
    let hash = Hash::of(b"");
    let table = [
        (command("ls").act(), "command", "ls".to_owned()),
        (Act::Read { paths: vec![path.clone(), other.clone()] }, "read", "/work/a, /work/b".to_owned()),
        (
            Act::Change { writes: vec![path], deletes: vec![other], content: hash },
            "change",
            "/work/a, -/work/b".to_owned(),
        ),
        (Act::Connect { host: "a.example".to_owned(), port: 443 }, "connect", "a.example:443".to_owned()),
        (
            Act::Tool { server: "files".to_owned(), name: "list".to_owned(), arguments: hash },
            "tool",
            "files/list".to_owned(),
        ),
        (Act::Ask { model: "openai/gpt".to_owned(), request: hash }, "ask", "openai/gpt".to_owned()),
        (Act::Spawn { task: "ä".repeat(MAX_SHOWN) }, "spawn", "ä".repeat(MAX_SHOWN)),
        (Act::Spawn { task: "ä".repeat(MAX_SHOWN + 1) }, "spawn", "ä".repeat(MAX_SHOWN) + "…"),
    ];
    let mut hashes = HashSet::new();
    for (act, what, on) in table {
        let gate = Gate::new(Log::new(Mood::Well));
        let case = refused(ready(gate.judged(wanted(act.clone()), |_, _| ruling(Verdict::Deny))).unwrap()).case;
        assert_eq!((case.what(), case.on(), &case.act), (what, on, &act));
        assert!(hashes.insert(case.input), "the input of {what} is another's");
    }
}

#[test]
fn what_is_shown_cannot_deceive_who_reads_it() {
    let table = [
        ("echo a\nrm -r b", "echo a\\nrm -r b"),
        ("rm -r b\r\u{1b}[2Kls", "rm -r b\\r\\u{1b}[2Kls"),
        ("cat \u{202e}gpj.hs", "cat \\u{202e}gpj.hs"),
        ("r\u{200b}m\u{feff}", "r\\u{200b}m\\u{feff}"),
        ("echo ä 漢 🦀", "echo ä 漢 🦀"),
    ];
    for (line, shown) in table {
        let gate = Gate::new(Log::new(Mood::Well));
        let refusal = refused(ready(gate.judged(wanted(command(line)), |_, _| ruling(Verdict::Deny))).unwrap());
        assert_eq!(refusal.case.on(), shown);
        assert!(refusal.to_string().contains(shown));
    }
}

#[test]
fn nothing_shows_the_arguments_by_accident() {
    let log = Log::new(Mood::Well);
    let secret = Command { variables: "KEY=hidden".to_owned(), ..command("ls") };
    for verdict in [Verdict::Allow, Verdict::Ask] {
        let gated = ready(Gate::new(log.clone()).judged(wanted(secret.clone()), |_, _| ruling(verdict))).unwrap();
        let shown = format!("{gated:?}");
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn what_a_gate_does_may_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let log = Log::new(Mood::Well);
    let gate = Gate::new(log.clone());
    let asked = question(&log);
    let yes = answer(&asked, Said::Yes);
    moves(&gate.judged(wanted(command("ls")), |_, _| ruling(Verdict::Allow)));
    moves(&gate.answered(asked, &yes, now()));
    moves(&judged(&log, Verdict::Allow));
    let Ok(Gated::Permitted(permit)) = judged(&log, Verdict::Allow) else { panic!("not permitted") };
    let (_, open) = permit.open();
    moves(&open);
    moves(&open.finish(policy::gate::Ended::without_output(Outcome::Failed)));
}
