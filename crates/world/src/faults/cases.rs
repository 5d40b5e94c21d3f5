//! One conversation for each fault, made so that the fault matters.

use std::fmt;
use std::time::Duration;

use testkit::{Fault, FaultPlan, On, Refusal};

/// A fault, and the conversation that it happens in.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) fault: Fault,
    /// What shows the fault.
    pub(super) with: Option<Fault>,
    pub(super) on: On,
    /// How long the model is silent before each event of its second answer.
    pub(super) thinks: Duration,
    /// How large the answer of the first tool is.
    pub(super) answer: usize,
}

/// Names each fault, so that one that is new cannot be left out.
macro_rules! names {
    ($($fault:pat => $name:literal),+ $(,)?) => {
        /// All there are.
        pub const NAMES: &[&str] = &[$($name),+];

        pub(super) fn name(fault: &Fault) -> &'static str {
            match fault {
                $($fault => $name),+
            }
        }
    };
}

names! {
    Fault::RefuseUpgrade { .. } => "RefuseUpgrade",
    Fault::HangUpgrade => "HangUpgrade",
    Fault::LargestMessage(_) => "LargestMessage",
    Fault::AgeLimit(_) => "AgeLimit",
    Fault::SilentAfter(_) => "SilentAfter",
    Fault::HalfOpenAfter(_) => "HalfOpenAfter",
    Fault::CutAfterFrames(_) => "CutAfterFrames",
    Fault::CutInFrame(_) => "CutInFrame",
    Fault::CutAfterBytes(_) => "CutAfterBytes",
    Fault::CloseAfter { .. } => "CloseAfter",
    Fault::SlowReader { .. } => "SlowReader",
    Fault::PingsUnanswered => "PingsUnanswered",
    Fault::Duplicate(_) => "Duplicate",
    Fault::Swap(_) => "Swap",
    Fault::ForgetPrevious => "ForgetPrevious",
    Fault::Refuse(_) => "Refuse",
    Fault::HtmlError(_) => "HtmlError",
    Fault::EmptyStream => "EmptyStream",
    Fault::TerminalWithoutOutput => "TerminalWithoutOutput",
    Fault::ItemsOnlyDone => "ItemsOnlyDone",
    Fault::RotatedIds => "RotatedIds",
    Fault::FlatErrors => "FlatErrors",
}

/// With so many events of an answer its message is whole,
const MESSAGE: usize = 9;

/// and with so many its call.
const CALL: usize = 14;

const AT_ONCE: Duration = Duration::ZERO;

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::RefuseUpgrade { status, .. } => write!(f, "`RefuseUpgrade` with {status}")?,
            Fault::Refuse(refusal) => {
                write!(f, "`Refuse` with {}", refusal.status)?;
                if let Some(seconds) = refusal.retry_after {
                    write!(f, ", to be asked again after {seconds} s")?;
                }
            }
            fault => write!(f, "`{fault:?}`")?,
        }
        self.with.iter().try_for_each(|with| write!(f, " on `{}`", name(with)))
    }
}

impl Case {
    /// On the second request.
    fn request(fault: Fault) -> Self {
        Self { fault, with: None, on: On::Request(2), thinks: AT_ONCE, answer: 0 }
    }

    /// The faults of the conversation, and where they happen.
    pub(super) fn plan(&self) -> FaultPlan {
        let faults = std::iter::once(&self.fault).chain(&self.with);
        faults.fold(FaultPlan::default(), |plan, fault| plan.on(self.on, fault.clone()))
    }

    /// On the first connection.
    fn connection(fault: Fault) -> Self {
        Self { on: On::Connection(1), ..Self::request(fault) }
    }
}

/// Each fault where it hurts.
pub(super) fn cases() -> Vec<Case> {
    let refusal = |status, code| Refusal::new(status, code, "as asked");
    let busy = refusal(429, "rate_limit_exceeded").retry_after(2);
    vec![
        Case::connection(Fault::RefuseUpgrade { status: 426, retry_after: None }),
        Case::connection(Fault::RefuseUpgrade { status: 503, retry_after: None }),
        Case::connection(Fault::HangUpgrade),
        Case { answer: 3000, ..Case::connection(Fault::LargestMessage(2000)) },
        Case { thinks: Duration::from_millis(100), ..Case::connection(Fault::AgeLimit(Duration::from_millis(500))) },
        Case::request(Fault::SilentAfter(4)),
        Case::request(Fault::HalfOpenAfter(4)),
        Case::request(Fault::CutAfterFrames(0)),
        Case::request(Fault::CutAfterFrames(MESSAGE)),
        Case::request(Fault::CutAfterFrames(CALL)),
        Case::request(Fault::CutInFrame(4)),
        Case::request(Fault::CutAfterBytes(2000)),
        Case::request(Fault::CloseAfter { frames: 4, code: 1011 }),
        Case::request(Fault::CloseAfter { frames: 4, code: 1012 }),
        Case::connection(Fault::SlowReader { bytes: 64, pause: Duration::from_millis(20) }),
        Case { thinks: Duration::from_mins(1), ..Case::connection(Fault::PingsUnanswered) },
        Case::request(Fault::Duplicate(MESSAGE)),
        Case::request(Fault::Swap(MESSAGE)),
        Case::request(Fault::ForgetPrevious),
        Case::request(Fault::Refuse(busy)),
        Case::request(Fault::Refuse(refusal(500, "server_error"))),
        Case::request(Fault::Refuse(refusal(503, "server_is_overloaded"))),
        Case::request(Fault::HtmlError(502)),
        Case::request(Fault::EmptyStream),
        Case::request(Fault::TerminalWithoutOutput),
        Case::request(Fault::ItemsOnlyDone),
        Case::request(Fault::RotatedIds),
        Case { with: Some(Fault::Refuse(refusal(500, "server_error"))), ..Case::request(Fault::FlatErrors) },
    ]
}
