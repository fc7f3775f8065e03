//! What anybody may do, as plain values, and how a life of such acts is drawn.
//!
//! An act names secrets by their place in what its person knows ("my second newest session"), so that it means
//! something in any state and a shorter life is still a life.

use std::time::Duration;

use portal_auth::link::LinkPurpose;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

/// Three people. Each reads the mail of two addresses, chooses passwords of their own, and has one browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Who {
    Val,
    Ivy,
    /// Knows everybody's passwords and answers, but reads nobody's mail.
    Mallory,
}

impl Who {
    pub(crate) const ALL: [Self; 3] = [Self::Val, Self::Ivy, Self::Mallory];

    pub(crate) const fn number(self) -> usize {
        self as usize
    }
}

/// The six addresses; the mail of `n` is read by `n % 3`.
pub(crate) const ADDRESSES: [&str; 6] = [
    "val@school.example",
    "ivy@school.example",
    "mallory@elsewhere.example",
    "val@college.example",
    "ivy@college.example",
    "mallory@nowhere.example",
];

/// Who reads the mail of an address.
pub(crate) const fn reader(address: usize) -> Who {
    Who::ALL[address % 3]
}

/// A password as somebody types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Typed {
    /// The one in force, where the person knows it; else their own first one.
    InForce,
    /// One of their own.
    Own(u8),
    /// Nobody's.
    Wrong,
}

/// A code as somebody types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    /// The newest in a mailbox that the person reads.
    Mailed,
    /// One mailed before that.
    Older(u8),
    Wrong,
}

/// A step of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Tick {
    Forward(Duration),
    Back(Duration),
    /// The last microsecond of a secret that somebody holds.
    LastMoment(u8),
    /// The first microsecond after it.
    FirstMomentAfter(u8),
}

/// What the operator does to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Order {
    Disable,
    Enable,
    Unlock,
    EndSessions,
    ClearTwoStep,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Begin {
        who: Who,
        address: u8,
        password: u8,
    },
    Section {
        who: Who,
        draft: u8,
        forename: u8,
    },
    Submit {
        who: Who,
        draft: u8,
    },
    SendAgain {
        who: Who,
        draft: u8,
    },
    Anew {
        who: Who,
        link: u8,
    },
    Activate {
        who: Who,
        link: u8,
        any: bool,
        password: Typed,
    },
    SignIn {
        who: Who,
        address: u8,
        password: Typed,
        familiar: bool,
    },
    Burst {
        who: Who,
        address: u8,
        tries: u8,
    },
    /// Asks for a reset again and again, somewhat more than a minute apart.
    Flood {
        who: Who,
        address: u8,
        asks: u8,
    },
    Code {
        who: Who,
        half: u8,
        code: Code,
    },
    CodeAgain {
        who: Who,
        half: u8,
    },
    AskReset {
        who: Who,
        address: u8,
    },
    Answer {
        who: Who,
        link: u8,
        any: bool,
        right: bool,
    },
    NewPassword {
        who: Who,
        link: u8,
        any: bool,
        proof: bool,
        password: u8,
    },
    ChangePassword {
        who: Who,
        session: u8,
        current: Typed,
        new: u8,
    },
    ChangeEmail {
        who: Who,
        session: u8,
        to: u8,
        password: Typed,
    },
    ConfirmEmail {
        who: Who,
        link: u8,
        any: bool,
        session: Option<u8>,
        password: Typed,
    },
    TakeBack {
        who: Who,
        link: u8,
        any: bool,
        purpose: LinkPurpose,
    },
    TwoStep {
        who: Who,
        session: u8,
        on: bool,
    },
    Confirm {
        who: Who,
        session: u8,
        password: Typed,
    },
    ConfirmCode {
        who: Who,
        session: u8,
        half: u8,
        code: Code,
    },
    Close {
        who: Who,
        session: u8,
        password: Typed,
    },
    Restore {
        who: Who,
        link: u8,
        any: bool,
        password: Typed,
    },
    EndOthers {
        who: Who,
        session: u8,
    },
    SignOut {
        who: Who,
        session: u8,
    },
    Look {
        who: Who,
        session: u8,
    },
    Order {
        order: Order,
        address: u8,
    },
    Time(Tick),
    Work,
}

/// How far a person has come before the life begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Start {
    Nobody,
    Account,
    SignedIn,
    /// Signed in by password and code, with the second step on.
    Careful,
}

/// What the drawing of acts goes by: who could hold what by now. Nothing is judged by it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) starts: [Start; 3],
    drafts: [bool; 3],
    sessions: [bool; 3],
    halves: [bool; 3],
    mail: bool,
    /// What somebody with a purpose would do next; without it, few lives get anywhere.
    hints: Vec<Act>,
}

impl Plan {
    /// A plan for a life whose acts are told, not drawn.
    pub(crate) const fn told(starts: [Start; 3]) -> Self {
        Self {
            seed: 1,
            starts,
            drafts: [false; 3],
            sessions: [false; 3],
            halves: [false; 3],
            mail: false,
            hints: Vec::new(),
        }
    }
}

/// Draws lives in which everything may happen.
#[derive(Debug)]
pub(crate) struct Lives;

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![6 => Just(Who::Val), 1 => Just(Who::Ivy), 3 => Just(Who::Mallory)]
}

fn typed() -> impl Strategy<Value = Typed> {
    prop_oneof![6 => Just(Typed::InForce), 2 => (0..3_u8).prop_map(Typed::Own), 1 => Just(Typed::Wrong)]
}

fn code() -> impl Strategy<Value = Code> {
    prop_oneof![5 => Just(Code::Mailed), 1 => (1..3_u8).prop_map(Code::Older), 2 => Just(Code::Wrong)]
}

/// Mostly the addresses that belong to somebody from the start.
fn address() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(0_u8), 2 => Just(1), 2 => Just(2), 2 => 3..6_u8]
}

/// Mostly the newest.
fn place() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(0_u8), 2 => Just(1), 1 => 2..6_u8]
}

/// Seldom a link of any purpose instead of the right one.
fn seldom() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.15)
}

fn tick() -> impl Strategy<Value = Tick> {
    const MICRO: Duration = Duration::from_micros(1);
    const MINUTE: Duration = Duration::from_secs(60);
    let forward = prop::sample::select(vec![
        Duration::from_secs(1),
        MINUTE,
        MINUTE,
        MINUTE * 2,
        MINUTE * 4,
        MINUTE * 10,
        MINUTE * 29,
        MINUTE * 30 - MICRO,
        MINUTE * 30,
        MINUTE * 61,
        MINUTE * 60 * 11,
        MINUTE * 60 * 25,
        MINUTE * 60 * 24 * 14,
    ]);
    let back = prop::sample::select(vec![Duration::from_secs(1), MINUTE, MINUTE * 3, MINUTE * 60]);
    prop_oneof![
        8 => forward.prop_map(Tick::Forward),
        1 => back.prop_map(Tick::Back),
        2 => place().prop_map(Tick::LastMoment),
        2 => place().prop_map(Tick::FirstMomentAfter),
    ]
}

fn taken_back() -> impl Strategy<Value = LinkPurpose> {
    prop::sample::select(vec![
        LinkPurpose::CancelEmailChange,
        LinkPurpose::FreezeAccount,
        LinkPurpose::NotMe,
        LinkPurpose::CancelRecovery,
    ])
}

fn order() -> impl Strategy<Value = Order> {
    prop::sample::select(vec![
        Order::Disable,
        Order::Enable,
        Order::Enable,
        Order::Unlock,
        Order::EndSessions,
        Order::ClearTwoStep,
    ])
}

fn before_an_account() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => (who(), address(), 0..3_u8).prop_map(|(who, address, password)| Act::Begin { who, address, password }),
        3 => (who(), place(), 0..4_u8).prop_map(|(who, draft, forename)| Act::Section { who, draft, forename }),
        4 => (who(), place()).prop_map(|(who, draft)| Act::Submit { who, draft }),
        1 => (who(), place()).prop_map(|(who, draft)| Act::SendAgain { who, draft }),
        1 => (who(), place()).prop_map(|(who, link)| Act::Anew { who, link }),
        4 => (who(), place(), seldom(), typed())
            .prop_map(|(who, link, any, password)| Act::Activate { who, link, any, password }),
    ]
    .boxed()
}

fn signing_in() -> BoxedStrategy<Act> {
    prop_oneof![
        8 => (who(), address(), typed(), any::<bool>())
            .prop_map(|(who, address, password, familiar)| Act::SignIn { who, address, password, familiar }),
        1 => (who(), address(), 1..15_u8).prop_map(|(who, address, tries)| Act::Burst { who, address, tries }),
        1 => (who(), address(), 2..12_u8).prop_map(|(who, address, asks)| Act::Flood { who, address, asks }),
        6 => (who(), place(), code()).prop_map(|(who, half, code)| Act::Code { who, half, code }),
        1 => (who(), place()).prop_map(|(who, half)| Act::CodeAgain { who, half }),
        4 => (who(), address()).prop_map(|(who, address)| Act::AskReset { who, address }),
        4 => (who(), place(), seldom(), prop::bool::weighted(0.8))
            .prop_map(|(who, link, any, right)| Act::Answer { who, link, any, right }),
        4 => (who(), place(), seldom(), prop::bool::weighted(0.9), 0..3_u8).prop_map(
            |(who, link, any, proof, password)| Act::NewPassword { who, link, any, proof, password }
        ),
    ]
    .boxed()
}

fn signed_in() -> BoxedStrategy<Act> {
    prop_oneof![
        2 => (who(), place(), typed(), 0..3_u8)
            .prop_map(|(who, session, current, new)| Act::ChangePassword { who, session, current, new }),
        3 => (who(), place(), 0..6_u8, typed())
            .prop_map(|(who, session, to, password)| Act::ChangeEmail { who, session, to, password }),
        4 => (who(), place(), seldom(), prop::option::of(place()), typed()).prop_map(
            |(who, link, any, session, password)| Act::ConfirmEmail { who, link, any, session, password }
        ),
        2 => (who(), place(), seldom(), taken_back())
            .prop_map(|(who, link, any, purpose)| Act::TakeBack { who, link, any, purpose }),
        2 => (who(), place(), any::<bool>()).prop_map(|(who, session, on)| Act::TwoStep { who, session, on }),
        4 => (who(), place(), typed())
            .prop_map(|(who, session, password)| Act::Confirm { who, session, password }),
        2 => (who(), place(), place(), code())
            .prop_map(|(who, session, half, code)| Act::ConfirmCode { who, session, half, code }),
        1 => (who(), place(), typed()).prop_map(|(who, session, password)| Act::Close { who, session, password }),
        2 => (who(), place(), seldom(), typed())
            .prop_map(|(who, link, any, password)| Act::Restore { who, link, any, password }),
        1 => (who(), place()).prop_map(|(who, session)| Act::EndOthers { who, session }),
        1 => (who(), place()).prop_map(|(who, session)| Act::SignOut { who, session }),
        3 => (who(), place()).prop_map(|(who, session)| Act::Look { who, session }),
    ]
    .boxed()
}

/// What somebody with a purpose does after `act`.
fn next(act: &Act) -> Vec<Act> {
    let (link, any, password) = (0, false, Typed::InForce);
    vec![match act.clone() {
        Act::Begin { who, .. } => Act::Section {
            who,
            draft: 0,
            forename: 1,
        },
        Act::Section { who, draft, .. } => Act::Submit { who, draft },
        // Whoever reads the mail: perhaps somebody else than who registered.
        Act::Submit {
            who: Who::Mallory, ..
        } => Act::Anew { who: Who::Val, link },
        Act::Submit { who, .. } => Act::Activate {
            who,
            link,
            any,
            password,
        },
        Act::Anew { who, .. } => Act::Begin {
            who,
            address: who as u8,
            password: 1,
        },
        Act::Activate { who, .. } => Act::SignIn {
            who,
            address: who as u8,
            password,
            familiar: true,
        },
        Act::SignIn { who, .. } => Act::Code {
            who,
            half: 0,
            code: Code::Mailed,
        },
        Act::Code { who, .. } => Act::ChangeEmail {
            who,
            session: 0,
            to: who as u8 + 3,
            password,
        },
        Act::ChangeEmail { to, .. } => {
            let session = (to % 2 == 1).then_some(0);
            Act::ConfirmEmail {
                who: reader(to.into()),
                link,
                any,
                session,
                password,
            }
        }
        Act::ConfirmEmail { who, .. } => Act::TakeBack {
            who,
            link,
            any,
            purpose: LinkPurpose::FreezeAccount,
        },
        Act::AskReset { address, .. } => Act::Answer {
            who: reader(address.into()),
            link,
            any,
            right: true,
        },
        Act::Answer { who, .. } => Act::NewPassword {
            who,
            link,
            any,
            proof: true,
            password: 2,
        },
        Act::NewPassword { who, .. } => Act::SignIn {
            who,
            address: who as u8,
            password,
            familiar: false,
        },
        Act::Confirm { who, .. } => Act::ConfirmCode {
            who,
            session: 0,
            half: 0,
            code: Code::Mailed,
        },
        Act::ConfirmCode { who, .. } => Act::ChangePassword {
            who,
            session: 0,
            current: password,
            new: 1,
        },
        Act::ChangePassword { who, .. } => Act::EndOthers { who, session: 0 },
        Act::EndOthers { who, .. } => Act::Close {
            who,
            session: 0,
            password,
        },
        Act::Close { who, .. } => Act::Restore {
            who,
            link,
            any,
            password,
        },
        // What has just ended, or is about to.
        Act::Time(Tick::LastMoment(_) | Tick::FirstMomentAfter(_)) => {
            return vec![
                Act::Activate {
                    who: Who::Val,
                    link,
                    any,
                    password,
                },
                Act::Answer {
                    who: Who::Val,
                    link,
                    any,
                    right: true,
                },
                Act::Code {
                    who: Who::Val,
                    half: 0,
                    code: Code::Mailed,
                },
            ];
        }
        Act::Time(_) => Act::Confirm {
            who: Who::Val,
            session: 0,
            password,
        },
        Act::Order {
            order: Order::Disable,
            address,
        } => Act::Order {
            order: Order::Enable,
            address,
        },
        _ => return Vec::new(),
    }]
}

impl ReferenceStateMachine for Lives {
    type State = Plan;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Plan> {
        let start = prop_oneof![
            4 => Just(Start::Nobody),
            2 => Just(Start::Account),
            3 => Just(Start::SignedIn),
            3 => Just(Start::Careful),
        ];
        (any::<u64>(), prop::array::uniform3(start))
            .prop_map(|(seed, starts)| Plan {
                seed,
                starts,
                drafts: [false; 3],
                sessions: starts.map(|s| s >= Start::SignedIn),
                halves: [false; 3],
                mail: starts.iter().any(|s| *s >= Start::Account),
                hints: Vec::new(),
            })
            .boxed()
    }

    fn transitions(plan: &Plan) -> BoxedStrategy<Act> {
        let anything = prop_oneof![
            5 => before_an_account(),
            8 => signing_in(),
            8 => signed_in(),
            1 => (order(), address()).prop_map(|(order, address)| Act::Order { order, address }),
            4 => tick().prop_map(Act::Time),
            1 => Just(Act::Work),
        ];
        if plan.hints.is_empty() {
            return anything.boxed();
        }
        prop_oneof![3 => prop::sample::select(plan.hints.clone()), 4 => anything].boxed()
    }

    fn apply(mut plan: Plan, act: &Act) -> Plan {
        plan.hints.retain(|hint| hint != act);
        match act {
            Act::Begin { who, .. } | Act::Anew { who, .. } => plan.drafts[who.number()] = true,
            Act::Submit { .. } | Act::AskReset { .. } => plan.mail = true,
            Act::SignIn { who, .. } | Act::Confirm { who, .. } => {
                plan.halves[who.number()] = true;
                plan.sessions[who.number()] = true;
            }
            _ => {}
        }
        plan.hints.extend(next(act));
        // The newest purposes are the ones that are followed.
        let forgotten = plan.hints.len().saturating_sub(3);
        plan.hints.drain(..forgotten);
        plan
    }

    fn preconditions(plan: &Plan, act: &Act) -> bool {
        match act {
            Act::Section { who, .. } | Act::Submit { who, .. } | Act::SendAgain { who, .. } => {
                plan.drafts[who.number()]
            }
            Act::Code { who, .. } | Act::CodeAgain { who, .. } | Act::ConfirmCode { who, .. } => {
                plan.halves[who.number()]
            }
            Act::ChangePassword { who, .. }
            | Act::ChangeEmail { who, .. }
            | Act::TwoStep { who, .. }
            | Act::Confirm { who, .. }
            | Act::Close { who, .. }
            | Act::EndOthers { who, .. }
            | Act::SignOut { who, .. }
            | Act::Look { who, .. } => plan.sessions[who.number()],
            Act::Activate { .. } | Act::Answer { .. } | Act::ConfirmEmail { .. } | Act::Restore { .. } => {
                plan.mail
            }
            _ => true,
        }
    }
}
