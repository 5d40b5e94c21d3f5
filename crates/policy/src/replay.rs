//! What other rules would have made of what was done.

use crate::act::{Act, Actor};
use crate::judge::{Finding, Judge};
use crate::place::Surroundings;
use crate::rules::Moment;
use crate::verdict::Verdict;

/// An act that was judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub at: Moment,
    /// Who wanted it.
    pub actor: Actor,
    /// What was wanted.
    pub act: Act,
    /// What was decided, before anybody was asked.
    pub verdict: Verdict,
}

/// An act of which the judge thinks otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Which of the acts, from 0.
    pub index: usize,
    /// What was decided.
    pub was: Verdict,
    /// What would be.
    pub would_be: Verdict,
    /// Why.
    pub because: Vec<Finding>,
}

/// All acts, judged anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many acts there were of each kind: what was decided, what would be, how often. Without those of which there
    /// is none.
    pub counts: Vec<(Verdict, Verdict, usize)>,
    /// Those of which the judge thinks otherwise.
    pub changed: Vec<Changed>,
}

/// Judges all acts anew. A command is judged in the folder that is recorded with it; all else of the surroundings, the
/// workspace and the home among it, is the same for all of them.
pub fn replay(judge: &Judge<'_>, acts: &[Recorded], around: &Surroundings) -> Replay {
    let mut pairs = Vec::with_capacity(acts.len());
    let mut changed = Vec::new();
    for (index, recorded) in acts.iter().enumerate() {
        let judgement = judge.judge(&recorded.actor, &recorded.act, around, recorded.at);
        let (was, would_be) = (recorded.verdict, judgement.verdict);
        pairs.push((was, would_be));
        if was != would_be {
            changed.push(Changed { index, was, would_be, because: judgement.because().cloned().collect() });
        }
    }
    let all = Verdict::ALL.into_iter().flat_map(|was| Verdict::ALL.map(|would_be| (was, would_be)));
    let count = |(was, would_be)| (was, would_be, pairs.iter().filter(|pair| **pair == (was, would_be)).count());
    Replay { counts: all.map(count).filter(|(_, _, count)| *count > 0).collect(), changed }
}
