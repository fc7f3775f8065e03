//! How mails are claimed and settled.

macro_rules! claim {
    ($lock:literal) => {
        concat!(
            "UPDATE portal_outbox SET status = 'leased', lease_no = lease_no + 1, lease_until = $2, due_at = $2 \
             WHERE id IN (SELECT c.id FROM portal_outbox c WHERE c.waiting = 1 AND c.due_at <= $1 \
             ORDER BY c.urgency, c.next_at LIMIT $3",
            $lock,
            ") RETURNING ",
            outbox_columns!("portal_outbox")
        )
    };
}

pub(crate) const MAIL_SENT: &str = "UPDATE portal_outbox SET status = 'sent', waiting = 0 \
     WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const MAIL_AGAIN: &str = "UPDATE portal_outbox SET status = 'ready', next_at = $3, due_at = $3, \
     attempts = attempts + $4, last_error = $5 WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const MAIL_DEAD: &str = "UPDATE portal_outbox SET status = 'dead', waiting = 0, last_error = $3 \
     WHERE id = $1 AND lease_no = $2 AND status = 'leased'";

pub(crate) const NEXT_DUE: &str = "SELECT min(due_at) FROM portal_outbox WHERE waiting = 1";

pub(crate) const BACKLOG: &str = "SELECT count(*), min(next_at), \
     (SELECT count(*) FROM portal_outbox WHERE status = 'dead') \
     FROM portal_outbox WHERE waiting = 1 AND due_at <= $1";
