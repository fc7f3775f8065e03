//! Seals. A row of seal 0 waits for one.

pub(crate) const UNSEALED: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.seal = 0 ORDER BY e.happened_at, e.id LIMIT $1"
);

macro_rules! seal_columns {
    () => {
        columns!("s": no kind made_at events chain mac_key mac)
    };
}

pub(crate) const LAST_SEAL: &str = concat!(
    "SELECT ",
    seal_columns!(),
    " FROM portal_audit_seals s ORDER BY s.no DESC LIMIT 1"
);

pub(crate) const SEALS: &str = concat!(
    "SELECT ",
    seal_columns!(),
    " FROM portal_audit_seals s WHERE s.no > $1 ORDER BY s.no LIMIT $2"
);

pub(crate) const SEALED_EVENTS: &str = concat!(
    "SELECT ",
    audit_columns!("e"),
    " FROM portal_audit e WHERE e.seal = $1 ORDER BY e.place"
);

pub(crate) const INSERT_SEAL: &str = "INSERT INTO portal_audit_seals (no, kind, made_at, events, chain, mac_key, mac) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (no) DO NOTHING";

pub(crate) const PUT_UNDER_SEAL: &str =
    "UPDATE portal_audit SET seal = $1, place = $2 WHERE id = $3 AND seal = 0";

pub(crate) const PUT_CHECKPOINT: &str = "UPDATE portal_audit_seals SET kind = $2, mac_key = $3, mac = $4 \
     WHERE no = $1 AND kind = 'batch'";

pub(crate) const DELETE_SEALS: &str = "DELETE FROM portal_audit_seals WHERE no < $1";

pub(crate) const DELETE_SEALED_EVENTS: &str = "DELETE FROM portal_audit WHERE seal BETWEEN 1 AND $1";
