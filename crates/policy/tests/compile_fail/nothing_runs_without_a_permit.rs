use policy::act::Act;
use policy::approval::Question;
use policy::gate::Permit;

fn main() {
    run(Act::Spawn { task: "anything".into() });
}

fn run(permit: Permit<Act>) {
    drop(permit);
}

fn unanswered(question: Question<Act>) {
    run(question);
}
