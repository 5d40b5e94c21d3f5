use std::time::SystemTime;

use policy::act::Act;
use policy::approval::{Answer, Question};
use policy::gate::{Gate, Recorder};

fn main() {}

async fn twice<R: Recorder>(gate: Gate<R>, question: Question<Act>, answer: Answer, now: SystemTime) {
    let first = gate.answered(question, &answer, now).await;
    let second = gate.answered(question, &answer, now).await;
    drop((first, second));
}
