use std::time::SystemTime;

use policy::act::Act;
use policy::approval::Question;
use policy::gate::{Case, Ruling};

fn main() {}

fn made_up(act: Act, case: Case, ruling: Ruling, until: SystemTime) -> Question<Act> {
    Question::new(act, case, ruling, until)
}

fn open(question: Question<Act>) -> Act {
    question.payload
}

fn apart(question: Question<Act>) -> Act {
    question.into_parts().0
}

fn twice(question: Question<Act>) -> (Question<Act>, Question<Act>) {
    (question.clone(), question)
}
