//! What nobody can do who knows an address alone: keep its owner out.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and counts with small numbers"
)]

mod common;

use common::{ANSWER, DAY, MINUTE, OTHER_PASSWORD, SECOND, VAL, World, familiar, stranger};
use portal_auth::NewPassword;
use portal_auth::secret::token::LinkToken;

/// What a stranger spends the owner's mails on.
#[derive(Debug, Clone, Copy)]
enum Noise {
    Notices,
    ResetLinks,
    Both,
}

impl Noise {
    /// Causes a mail to the owner, if one can still go.
    async fn mail(self, world: &World, round: u32) {
        let from = stranger(1_000 + round);
        let asks_for_a_link = match self {
            Self::Notices => false,
            Self::ResetLinks => true,
            Self::Both => round.is_multiple_of(2),
        };
        if asks_for_a_link {
            world.auth.request_reset(&from, VAL).await.unwrap();
        } else if round.is_multiple_of(3) {
            world.register_from(&from, VAL, OTHER_PASSWORD).await;
        } else {
            world.auth.resend_link_to(&from, VAL).await.unwrap();
        }
    }
}

/// The newest reset link in the owner's mailbox, if it works.
async fn live_link(world: &World) -> Option<LinkToken> {
    let link = world.link_in(VAL, "reset-password").await;
    world.auth.reset_page(&link, None).await.is_ok().then_some(link)
}

#[tokio::test]
async fn i_23_no_stranger_keeps_an_owner_out() {
    // THR-1, THR-4, TOK-6: a familiar browser signs in, a live session goes on, and the mailbox gets a reset.
    for noise in [Noise::Notices, Noise::ResetLinks, Noise::Both] {
        let world = World::new();
        let home = familiar(&world.person(VAL).await);
        world.clock.advance(DAY);
        let mut session = world.signed_in(&home, VAL).await.session;
        world.reset_link(VAL).await;
        // Thirty hours, in which every try and every mail is the stranger's, from ever other networks.
        for round in 0..300 {
            world.clock.advance(MINUTE * 6);
            world.guess_until_closed(&stranger(2_000 + round), VAL).await;
            noise.mail(&world, round).await;

            world.auth.authenticate(&session).await.unwrap();
            let again = world.signed_in(&home, VAL).await.session;
            if round % 100 == 0 {
                session = again;
            } else {
                world.auth.sign_out(&home, &again).await.unwrap();
            }
            if live_link(&world).await.is_none() {
                world.clock.advance(MINUTE + SECOND);
                world.auth.request_reset(&home, VAL).await.unwrap();
                let mailed = live_link(&world).await;
                assert!(
                    mailed.is_some(),
                    "{noise:?}: no slot and no live link in round {round}"
                );
            }
        }
        let link = live_link(&world).await.unwrap();
        let elsewhere = stranger(1);
        let proof = world.auth.answer_reset(&elsewhere, &link, ANSWER).await.unwrap();
        let chosen = NewPassword::new(OTHER_PASSWORD).repeated(OTHER_PASSWORD);
        world
            .auth
            .set_new_password(&elsewhere, &link, Some(&proof), &chosen)
            .await
            .unwrap();
    }
}
