//! What a role may do at most. One table: pure, total, and the same for everybody.
//!
//! A denial here is final: no rule and no grant lifts it. A question may be answered by a person, by a rule that allows,
//! or by a grant.

use crate::act::Role;
use crate::place::Place;
use crate::verdict::Verdict;
use crate::verdict::Verdict::{Allow as A, Ask as Q, Deny as N};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Start programs, in a folder.
    Run,
    /// Look at it.
    Read,
    /// Make or change it. A grant is given, a budget is set by this.
    Write,
    /// Make it gone. A grant is revoked by this.
    Delete,
    /// Reach a host.
    Connect,
    /// Use a tool of somebody else's server.
    Call,
    /// Send something to a model.
    Ask,
    /// Start another agent.
    Spawn,
    /// Say yes or no to a question.
    Answer,
    /// Take it away from the machine.
    Export,
    /// Offer it to others.
    Serve,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Run,
        Self::Read,
        Self::Write,
        Self::Delete,
        Self::Connect,
        Self::Call,
        Self::Ask,
        Self::Spawn,
        Self::Answer,
        Self::Export,
        Self::Serve,
    ];

    /// The word for it, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Connect => "connect",
            Self::Call => "call",
            Self::Ask => "ask",
            Self::Spawn => "spawn",
            Self::Answer => "answer",
            Self::Export => "export",
            Self::Serve => "serve",
        }
    }
}

/// What it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A path in the workspace.
    Workspace,
    /// A path for what is thrown away.
    Temporary,
    /// The rest of the machine.
    Outside,
    /// Keys and passwords.
    Secret,
    /// What runs code by itself, and what Capstan relies on.
    Protected,
    /// A device of the machine.
    Device,
    /// A path that cannot be told.
    Unknown,
    /// A host.
    Network,
    /// A tool of somebody else's server.
    Tool,
    /// A model.
    Model,
    /// Another agent.
    Agent,
    /// A question that waits for its answer.
    Question,
    /// What was granted.
    Grants,
    /// The file of rules.
    Rules,
    /// What may be spent.
    Budget,
    /// Sessions, with all that was said in them.
    Sessions,
    /// The record of what was done.
    Audit,
    /// The gateway.
    Gateway,
    /// The keys of those who may use the gateway.
    Keys,
}

impl Resource {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Workspace,
        Self::Temporary,
        Self::Outside,
        Self::Secret,
        Self::Protected,
        Self::Device,
        Self::Unknown,
        Self::Network,
        Self::Tool,
        Self::Model,
        Self::Agent,
        Self::Question,
        Self::Grants,
        Self::Rules,
        Self::Budget,
        Self::Sessions,
        Self::Audit,
        Self::Gateway,
        Self::Keys,
    ];

    /// The word for it, as logs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Temporary => "temporary",
            Self::Outside => "outside",
            Self::Secret => "secret",
            Self::Protected => "protected",
            Self::Device => "device",
            Self::Unknown => "unknown",
            Self::Network => "network",
            Self::Tool => "tool",
            Self::Model => "model",
            Self::Agent => "agent",
            Self::Question => "question",
            Self::Grants => "grants",
            Self::Rules => "rules",
            Self::Budget => "budget",
            Self::Sessions => "sessions",
            Self::Audit => "audit",
            Self::Gateway => "gateway",
            Self::Keys => "keys",
        }
    }
}

impl From<Place> for Resource {
    fn from(place: Place) -> Self {
        match place {
            Place::Workspace => Self::Workspace,
            Place::Temporary => Self::Temporary,
            Place::Outside => Self::Outside,
            Place::Secret => Self::Secret,
            Place::Protected => Self::Protected,
            Place::Device => Self::Device,
            Place::Unknown => Self::Unknown,
        }
    }
}

/// One verdict for each role.
struct Row {
    owner: Verdict,
    operator: Verdict,
    reviewer: Verdict,
    auditor: Verdict,
    agent: Verdict,
    subagent: Verdict,
}

/// In the order of [`Role::ALL`].
const fn row(verdicts: [Verdict; 6]) -> Row {
    let [owner, operator, reviewer, auditor, agent, subagent] = verdicts;
    Row { owner, operator, reviewer, auditor, agent, subagent }
}

/// What a role may do at most. What makes no sense is denied to everybody, the owner among them.
pub const fn decide(role: Role, action: Action, resource: Resource) -> Verdict {
    let row = rows(action, resource);
    match role {
        Role::Owner => row.owner,
        Role::Operator => row.operator,
        Role::Reviewer => row.reviewer,
        Role::Auditor => row.auditor,
        Role::Agent => row.agent,
        Role::Subagent => row.subagent,
    }
}

const fn rows(action: Action, resource: Resource) -> Row {
    match action {
        Action::Run => run(resource),
        Action::Read => read(resource),
        Action::Write => write(resource),
        Action::Delete => delete(resource),
        Action::Connect => only(matches!(resource, Resource::Network), [A, N, N, N, Q, Q]),
        Action::Call => only(matches!(resource, Resource::Tool), [A, N, N, N, Q, Q]),
        Action::Ask => only(matches!(resource, Resource::Model), [A, N, N, N, A, A]),
        Action::Spawn => only(matches!(resource, Resource::Agent), [A, N, N, N, A, N]),
        // Whoever asks never answers.
        Action::Answer => only(matches!(resource, Resource::Question), [A, N, A, N, N, N]),
        Action::Export => only(matches!(resource, Resource::Sessions | Resource::Audit), [A, N, N, A, N, N]),
        Action::Serve => only(matches!(resource, Resource::Gateway), [A, A, N, N, N, N]),
    }
}

const NOBODY: [Verdict; 6] = [N, N, N, N, N, N];

const fn only(makes_sense: bool, verdicts: [Verdict; 6]) -> Row {
    row(if makes_sense { verdicts } else { NOBODY })
}

/// Where programs are started; what they touch is decided for each thing they touch.
const fn run(resource: Resource) -> Row {
    row(match resource {
        //                                              owner operator reviewer auditor agent subagent
        Resource::Workspace | Resource::Temporary => [A, N, N, N, A, A],
        Resource::Outside | Resource::Unknown => [A, N, N, N, Q, Q],
        Resource::Secret | Resource::Protected => [A, N, N, N, Q, N],
        _ => NOBODY,
    })
}

#[expect(clippy::match_same_arms, reason = "a line for each kind of thing")]
const fn read(resource: Resource) -> Row {
    row(match resource {
        //                                              owner operator reviewer auditor agent subagent
        Resource::Workspace => [A, N, A, N, A, A],
        Resource::Temporary | Resource::Outside | Resource::Protected => [A, N, N, N, A, A],
        Resource::Secret => [A, N, N, N, Q, N],
        Resource::Device => [Q, N, N, N, N, N],
        Resource::Unknown => [A, N, N, N, Q, Q],
        Resource::Question => [A, N, A, A, N, N],
        Resource::Grants | Resource::Rules | Resource::Budget => [A, A, A, A, A, A],
        Resource::Sessions => [A, N, A, A, N, N],
        Resource::Audit => [A, N, N, A, N, N],
        Resource::Gateway => [A, A, A, A, N, N],
        // Their names: what a key is nobody reads again.
        Resource::Keys => [A, A, N, A, N, N],
        Resource::Network | Resource::Tool | Resource::Model | Resource::Agent => NOBODY,
    })
}

#[expect(clippy::match_same_arms, reason = "a line for each kind of thing")]
const fn write(resource: Resource) -> Row {
    row(match resource {
        //                                              owner operator reviewer auditor agent subagent
        Resource::Workspace | Resource::Temporary => [A, N, N, N, A, A],
        Resource::Outside | Resource::Unknown => [A, N, N, N, Q, Q],
        Resource::Secret => [A, N, N, N, Q, N],
        Resource::Protected => [A, N, N, N, N, N],
        Resource::Device => [Q, N, N, N, N, N],
        Resource::Grants => [A, N, Q, N, N, N],
        Resource::Rules => [A, Q, N, N, N, N],
        Resource::Budget | Resource::Keys => [A, A, N, N, N, N],
        // Records are added by what does the work, and never changed by anybody.
        Resource::Audit | Resource::Sessions => NOBODY,
        Resource::Network
        | Resource::Tool
        | Resource::Model
        | Resource::Agent
        | Resource::Question
        | Resource::Gateway => NOBODY,
    })
}

#[expect(clippy::match_same_arms, reason = "a line for each kind of thing")]
const fn delete(resource: Resource) -> Row {
    row(match resource {
        //                                              owner operator reviewer auditor agent subagent
        Resource::Workspace | Resource::Temporary => [A, N, N, N, A, A],
        Resource::Outside | Resource::Unknown => [A, N, N, N, Q, Q],
        Resource::Secret => [A, N, N, N, Q, N],
        Resource::Protected => [A, N, N, N, N, N],
        // What was granted may always be taken back.
        Resource::Grants => [A, A, A, N, N, N],
        Resource::Rules | Resource::Budget | Resource::Sessions => [A, Q, N, N, N, N],
        Resource::Keys => [A, A, N, N, N, N],
        // What was done stays known: records only age, they are not taken out.
        Resource::Audit => NOBODY,
        Resource::Device
        | Resource::Network
        | Resource::Tool
        | Resource::Model
        | Resource::Agent
        | Resource::Question
        | Resource::Gateway => NOBODY,
    })
}
