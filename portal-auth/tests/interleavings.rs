//! A few people at once, in every order in which their statements can follow each other: the real library on the real
//! in-memory store, led step by step.
//!
//! A step is one statement: a read that a decision is made from, a charge, or the one atomic write. Everybody has a
//! process of their own, so nothing but the store stands between them. All orders with at most [`SWITCHES`] switches
//! away from somebody who could have gone on are run; that is where nearly all races are (Musuvathi and Qadeer 2007).

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and counts with small numbers"
)]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use common::{ANSWER, MINUTE, OTHER_PASSWORD, PASSWORD, SECOND, VAL, World, address, stranger};
use portal_auth::account::status::Status;
use portal_auth::error::Denied;
use portal_auth::features::change_email::ChangeEmailForm;
use portal_auth::features::sign_in::{SignInForm, SignInOutcome};
use portal_auth::password::Password;
use portal_auth::secret::token::{LinkToken, SessionToken};
use portal_auth::{CodeRefused, NewPassword, PortalAuth};

const SWITCHES: usize = 2;
const THIRD: &str = "Third-Password-33";

type Run<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// Wakes the thread that leads.
struct Leader(Thread);

impl Wake for Leader {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// One order after the other, depth first.
#[derive(Default)]
struct Orders {
    /// Which of how many was taken, at each step that had a choice.
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Orders {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, of));
        }
        let (choice, all) = self.taken[self.at];
        assert_eq!(all, of, "the same order leads to the same choices");
        self.at += 1;
        choice
    }

    /// Goes on to the next order; `false` when all were run.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, of)) = self.taken.pop() {
            if choice + 1 < of {
                self.taken.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// Leads `runs` to their ends in the order that `orders` is at.
fn lead(world: &World, mut runs: Vec<Run<'_>>, orders: &mut Orders) -> Vec<String> {
    let waker = Waker::from(Arc::new(Leader(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut answers: Vec<Option<String>> = runs.iter().map(|_| None).collect();
    let (mut current, mut switches) = (None, 0);
    world.store.steps.store(true, Ordering::SeqCst);
    loop {
        let open: Vec<usize> = (0..runs.len()).filter(|at| answers[*at].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let goes_on = current.filter(|at| open.contains(at));
        let next = match goes_on {
            Some(same) if switches == SWITCHES => same,
            Some(same) => {
                // The first choice is to go on, so that the first order has no switch.
                let others: Vec<usize> = open.iter().copied().filter(|at| *at != same).collect();
                match orders.choose(others.len() + 1) {
                    0 => same,
                    n => {
                        switches += 1;
                        others[n - 1]
                    }
                }
            }
            None => open[orders.choose(open.len())],
        };
        current = Some(next);
        world.store.reached.store(false, Ordering::SeqCst);
        loop {
            match runs[next].as_mut().poll(&mut context) {
                Poll::Ready(answer) => {
                    answers[next] = Some(answer);
                    break;
                }
                Poll::Pending if world.store.reached.load(Ordering::SeqCst) => break,
                // It waits for its hash, which other threads compute.
                Poll::Pending => std::thread::park(),
            }
        }
    }
    world.store.steps.store(false, Ordering::SeqCst);
    answers.into_iter().flatten().collect()
}

/// Runs `test` for every order; answers how many there were.
fn in_every_order<F: Future<Output = ()>>(test: impl Fn(Arc<std::sync::Mutex<Orders>>) -> F) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let orders = Arc::new(std::sync::Mutex::new(Orders::default()));
    let mut count = 0;
    loop {
        runtime.block_on(test(Arc::clone(&orders)));
        count += 1;
        if !orders.lock().unwrap().next() {
            return count;
        }
        assert!(count < 20_000, "too many orders for one test");
    }
}

fn said<T, R: std::fmt::Debug>(answer: &Result<T, Denied<R>>) -> String {
    match answer {
        Ok(_) => "done".into(),
        Err(denied) => format!("{denied:?}"),
    }
}

fn done(answers: &[String]) -> usize {
    answers.iter().filter(|a| a.starts_with("done")).count()
}

async fn activates(auth: PortalAuth, link: LinkToken, password: &'static str) -> String {
    said(&auth.activate(&stranger(1), &link, &Password::new(password)).await)
}

async fn asks(auth: PortalAuth, session: SessionToken, to: &'static str) -> String {
    let form = ChangeEmailForm::new(to, PASSWORD).repeated(to);
    said(&auth.change_email(&stranger(1), &session, form).await)
}

fn copy(session: &SessionToken) -> SessionToken {
    SessionToken::parse(session.expose()).unwrap()
}

#[test]
fn two_registrants_of_one_address_make_one_account_of_one_registration() {
    // I-01, I-02, I-04, I-06: whose password it is, their link was opened; nobody is signed in by the other's.
    let orders = in_every_order(|orders| async move {
        let world = World::new();
        world.register(VAL, PASSWORD).await;
        let first = world.link(VAL).await;
        world.clock.advance(MINUTE + SECOND);
        world.register_from(&stranger(2), VAL, OTHER_PASSWORD).await;
        let second = world.link(VAL).await;
        assert_ne!(first.expose(), second.expose());
        let [a, b, c] = [0; 3].map(|_| world.another_process().0);
        let runs: Vec<Run<'_>> = vec![
            Box::pin(activates(a, first, PASSWORD)),
            Box::pin(activates(b, second, OTHER_PASSWORD)),
            Box::pin(async move {
                let form = SignInForm::new(VAL, OTHER_PASSWORD);
                said(&c.sign_in(&stranger(3), form).await)
            }),
        ];
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        assert_eq!(done(&answers[..2]), 1, "{answers:?}");
        let owner_is_second = answers[1].starts_with("done");
        assert!(
            answers[2] != "done" || owner_is_second,
            "signed in by the password of no account"
        );
        world.clock.advance(MINUTE);
        for (password, right) in [(PASSWORD, !owner_is_second), (OTHER_PASSWORD, owner_is_second)] {
            let answer = world.try_sign_in(&stranger(4), VAL, password).await;
            assert_eq!(answer.is_ok(), right, "{answers:?}");
        }
        assert_eq!(world.audited("account.made"), 1);
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn two_changes_of_address_and_a_confirmation_never_take_an_address_that_was_not_proven() {
    // I-10: the link that is opened was mailed to the second address; nobody has opened a mail to the others.
    let orders = in_every_order(|orders| async move {
        let world = World::new();
        world.person(VAL).await;
        world.clock.advance(MINUTE);
        let session = world.session(VAL).await;
        let proven = "val@college.example";
        let asked = asks(world.another_process().0, copy(&session), proven).await;
        assert_eq!(asked, "done");
        let link = world.link_in(proven, "confirm-email").await;
        world.clock.advance(MINUTE + SECOND);
        let [a, b, c] = [0; 3].map(|_| world.another_process().0);
        let runs: Vec<Run<'_>> = vec![
            Box::pin(asks(a, copy(&session), "victim@school.example")),
            Box::pin(async move {
                let own = Password::new(PASSWORD);
                said(&b.confirm_email(&stranger(2), &link, None, &own).await)
            }),
            Box::pin(asks(c, copy(&session), "other@school.example")),
        ];
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        for unproven in ["victim@school.example", "other@school.example"] {
            assert!(!world.has_account(unproven).await, "{answers:?}");
        }
        let confirmed = answers[1] == "done";
        assert_eq!(world.has_account(proven).await, confirmed, "{answers:?}");
        assert_eq!(world.has_account(VAL).await, !confirmed, "{answers:?}");
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn three_clients_and_a_resend_get_no_more_verdicts_than_two() {
    // I-15, I-16
    let orders = in_every_order(|orders| async move {
        let world = World::with(|config| config.codes.tries = 2);
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        world.clock.advance(MINUTE);
        let mut runs: Vec<Run<'_>> = Vec::new();
        for _ in 0..3 {
            let (auth, challenge, wrong) = (world.another_process().0, &sent.challenge, wrong.clone());
            runs.push(Box::pin(async move {
                match auth.verify_code(&stranger(1), challenge, &wrong, None).await {
                    Err(Denied::Refused(CodeRefused::Wrong { .. } | CodeRefused::TriesUsed)) => {
                        "verdict".into()
                    }
                    other => said(&other),
                }
            }));
        }
        let (auth, challenge) = (world.another_process().0, &sent.challenge);
        runs.push(Box::pin(async move {
            format!(
                "resend {:?}",
                auth.resend_code(&stranger(1), challenge).await.is_ok()
            )
        }));
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        let verdicts = answers.iter().filter(|a| *a == "verdict").count();
        assert!((1..=2).contains(&verdicts), "{answers:?}");
        assert_eq!(
            world.account(VAL).await.code_failures as usize,
            verdicts,
            "{answers:?}"
        );
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn no_right_code_succeeds_once_the_account_is_closed_to_codes() {
    // I-15: two wrong codes of one half-done sign-in close the account, beside the right code of another.
    let orders = in_every_order(|orders| async move {
        let world = World::with(|config| config.codes.failures_in_a_row = 2);
        world.careful_person(VAL).await;
        let first = world.half_done(VAL).await;
        let wrong = world.wrong_code(VAL).await;
        world.clock.advance(MINUTE);
        let second = world.half_done(VAL).await;
        let right = world.code(VAL).await;
        let ended = std::sync::Mutex::new(Vec::new());
        let mut runs: Vec<Run<'_>> = Vec::new();
        for (challenge, code) in [(&first, &wrong), (&first, &wrong), (&second, &right)] {
            let (auth, ended) = (world.another_process().0, &ended);
            runs.push(Box::pin(async move {
                let answer = said(
                    &auth
                        .verify_code(&stranger(1), &challenge.challenge, code, None)
                        .await,
                );
                ended.lock().unwrap().push(answer.clone());
                answer
            }));
        }
        lead(&world, runs, &mut orders.lock().unwrap());
        let ended = ended.into_inner().unwrap();
        let closed = ended.iter().position(|answer| *answer == "Refused(Closed)");
        let after = closed.map_or(&[][..], |at| &ended[at..]);
        assert_eq!(done(after), 0, "{ended:?}");
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn a_rehash_never_undoes_a_new_password_and_no_sign_in_outlives_it() {
    // HASH-4, I-17: change, sign-in with a rehash and reset, all at once.
    let orders = in_every_order(|orders| async move {
        let world = World::new();
        world.person(VAL).await;
        let link = world.reset_link(VAL).await;
        let proof = world
            .auth
            .answer_reset(&stranger(1), &link, ANSWER)
            .await
            .unwrap();
        let session = world.session(VAL).await;
        let [changer, resetter] = [0; 2].map(|_| world.another_process().0);
        // This process takes a pepper, so it hashes anew whatever it finds.
        let (signer, _) = world.process_with(|config| config.passwords.pepper = true);
        let runs: Vec<Run<'_>> = vec![
            Box::pin(async move {
                let form = NewPassword::new(OTHER_PASSWORD).repeated(OTHER_PASSWORD);
                let own = Password::new(PASSWORD);
                said(&changer.change_password(&stranger(1), &session, &own, &form).await)
            }),
            Box::pin(async move {
                match signer.sign_in(&stranger(2), SignInForm::new(VAL, PASSWORD)).await {
                    Ok(SignInOutcome::SignedIn(new)) => format!("done {}", new.session.expose()),
                    other => said(&other),
                }
            }),
            Box::pin(async move {
                let form = NewPassword::new(THIRD).repeated(THIRD);
                said(
                    &resetter
                        .set_new_password(&stranger(3), &link, Some(&proof), &form)
                        .await,
                )
            }),
        ];
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        let (changed, reset) = (answers[0] == "done", answers[2] == "done");
        assert!(changed || reset, "{answers:?}");
        assert_eq!(world.account(VAL).await.status, Status::Active);
        if let Some(token) = answers[1].strip_prefix("done ") {
            let session = SessionToken::parse(token).unwrap();
            assert!(
                world.auth.peek(&session).await.is_err(),
                "a sign-in outlived a new password: {answers:?}"
            );
        }
        world.clock.advance(MINUTE);
        let old = world.try_sign_in(&stranger(4), VAL, PASSWORD).await;
        assert!(old.is_err(), "the old password is back: {answers:?}");
        let mut right = 0;
        for (password, may) in [(OTHER_PASSWORD, changed), (THIRD, reset)] {
            let is_in = world.try_sign_in(&stranger(5), VAL, password).await.is_ok();
            assert!(!is_in || may, "{answers:?}");
            right += u32::from(is_in);
        }
        assert_eq!(right, 1, "{answers:?}");
    });
    assert!(orders > 100, "{orders} orders");
}

#[test]
fn of_three_uses_of_one_link_or_code_one_has_an_effect() {
    // I-11, I-13
    let orders = in_every_order(|orders| async move {
        let world = World::new();
        world.register(VAL, PASSWORD).await;
        let link = world.link(VAL).await;
        let mut runs: Vec<Run<'_>> = Vec::new();
        for _ in 0..3 {
            let again = LinkToken::parse(link.expose()).unwrap();
            runs.push(Box::pin(activates(world.another_process().0, again, PASSWORD)));
        }
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        assert_eq!(done(&answers), 1, "{answers:?}");
        assert_eq!(world.audited("activate.done"), 1);
    });
    assert!(orders > 100, "{orders} orders");
    let orders = in_every_order(|orders| async move {
        let world = World::new();
        world.careful_person(VAL).await;
        let sent = world.half_done(VAL).await;
        let code = world.code(VAL).await;
        let mut runs: Vec<Run<'_>> = Vec::new();
        for _ in 0..3 {
            let (auth, challenge, code) = (world.another_process().0, &sent.challenge, code.clone());
            runs.push(Box::pin(async move {
                said(&auth.verify_code(&stranger(1), challenge, &code, None).await)
            }));
        }
        let answers = lead(&world, runs, &mut orders.lock().unwrap());
        assert_eq!(done(&answers), 1, "{answers:?}");
        let email = address(VAL);
        assert_eq!(
            world
                .auth
                .look_up(&email)
                .await
                .unwrap()
                .account
                .unwrap()
                .sessions,
            1
        );
    });
    assert!(orders > 20, "{orders} orders");
}

#[test]
fn an_act_that_reads_then_writes_is_caught_in_some_order() {
    // The honest twin: two who read a number, ask the store something and write one more lose an update in some
    // orders, and in others not.
    let lost = std::sync::Mutex::new((0, 0));
    in_every_order(|orders| {
        let lost = &lost;
        async move {
            let world = World::new();
            let number = std::sync::Mutex::new(0);
            let adds = || async {
                let read = *number.lock().unwrap();
                drop(world.auth.find_account(&address(VAL)).await);
                *number.lock().unwrap() = read + 1;
                String::new()
            };
            lead(
                &world,
                vec![Box::pin(adds()), Box::pin(adds())],
                &mut orders.lock().unwrap(),
            );
            let (all, once) = &mut *lost.lock().unwrap();
            *all += 1;
            *once += usize::from(*number.lock().unwrap() == 1);
        }
    });
    let (all, once) = *lost.lock().unwrap();
    assert!(0 < once && once < all, "{once} of {all}");
}
