//! The statements on clicks, in the two orders of the events API.
//!
//! All take the tenant, whether machines count, the triggers and a limit as their first four
//! values. Those of a position take the tenant and the event's id.

use crate::store::{Statement, statements};

pub(crate) const MAIN_STATEMENTS: &[Statement] = statements![CODES, LINKS_WITH_CODE];
pub(crate) const ANALYTICS_STATEMENTS: &[Statement] = statements![
    SYNC.all,
    SYNC.of_links,
    FOLLOW.all,
    FOLLOW.of_links,
    BROWSE.all,
    BROWSE.of_links,
    FIRST.all,
    FIRST.of_links,
    RECENT.all,
    RECENT.of_links,
    POSITION,
    WATERMARK,
];

/// The columns of an event, read by number.
macro_rules! columns {
    () => {
        "event_id, occurred_at, link_id, short_code, trigger, referrer, referrer_domain, country, country_code, city, region,
       browser, browser_version, os, os_version, device, brand, model, utm_source, utm_medium, utm_campaign"
    };
}

/// The clicks of a caller.
macro_rules! selected {
    () => {
        "FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND ($2 OR (bot_reason IS NULL AND NOT is_duplicate))
  AND trigger = ANY($3)"
    };
}

macro_rules! sync {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            "\n",
            selected!(),
            "
  AND (visible_seq, event_id) > ($5, $6)
ORDER BY visible_seq, event_id
LIMIT $4"
        )
    };
}

// Link by link, so that a link with few clicks costs no more than those.
macro_rules! sync_of_links {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            "
FROM unnest($7::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT visible_seq, ",
            columns!(),
            "\n",
            selected!(),
            "
  AND link_id = wanted.id
  AND (visible_seq, event_id) > ($5, $6)
    ORDER BY visible_seq, event_id
    LIMIT $4
) AS found
ORDER BY visible_seq, event_id
LIMIT $4"
        )
    };
}

// Only an import brings what happened long before it arrived. The limits of `occurred_at` also let the server skip
// partitions.
macro_rules! follow {
    ($more:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ",
       campaign_id, qr_id, click_id
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
  AND bot_reason IS NULL
  AND NOT is_duplicate
  AND trigger = ANY($2)
  AND (visible_seq, event_id) > ($3, $4)
  AND (visible_seq, event_id) <= ($5, $6)
  AND occurred_at >= $7
  AND occurred_at >= received_at - interval '7 days'
  AND ($8::uuid IS NULL OR campaign_id = $8)",
            $more,
            "
ORDER BY visible_seq, event_id
LIMIT $9"
        )
    };
}

// The comparison of times alone is redundant, but it lets the server skip partitions.
macro_rules! browse {
    ($more:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            "\n",
            selected!(),
            "
  AND occurred_at >= $5
  AND (occurred_at, event_id) > ($5, $6)
  AND occurred_at < $7
  AND visible_seq <= $8",
            $more,
            "
ORDER BY occurred_at, event_id
LIMIT $4"
        )
    };
}

macro_rules! first {
    () => {
        concat!(
            "SELECT visible_seq, event_id, 0::int8 AS rows\n",
            selected!(),
            "
  AND occurred_at > $5
ORDER BY visible_seq, event_id
LIMIT $4"
        )
    };
}

macro_rules! first_of_links {
    () => {
        concat!(
            "SELECT visible_seq, event_id, 0::int8 AS rows
FROM unnest($6::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT visible_seq, event_id
",
            selected!(),
            "
  AND link_id = wanted.id
  AND occurred_at > $5
    ORDER BY visible_seq, event_id
    LIMIT $4
) AS found
ORDER BY visible_seq, event_id
LIMIT $4"
        )
    };
}

macro_rules! recent {
    ($more:literal) => {
        concat!(
            "SELECT visible_seq, event_id, count(*) OVER () AS rows
FROM (
    SELECT visible_seq, event_id
",
            selected!(),
            "
  AND occurred_at > $5",
            $more,
            "
    ORDER BY occurred_at DESC, event_id DESC
    LIMIT $4
) AS recent
ORDER BY visible_seq, event_id
LIMIT 1"
        )
    };
}

/// A statement, and the same one for some links only, which are its last value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) all: &'static str,
    pub(crate) of_links: &'static str,
}

/// The clicks that become visible after a position.
pub(crate) const SYNC: Pair = Pair {
    all: sync!(),
    of_links: sync_of_links!(),
};

/// The counted clicks between two positions, for webhooks.
pub(crate) const FOLLOW: Pair = Pair {
    all: follow!(""),
    of_links: follow!("\n  AND link_id = $10"),
};

/// The clicks of a time, after a position in it, that were visible at a watermark.
pub(crate) const BROWSE: Pair = Pair {
    all: browse!(""),
    of_links: browse!("\n  AND link_id = ANY($9)"),
};

/// The first click to become visible among those after a moment, found by the order of sync.
pub(crate) const FIRST: Pair = Pair {
    all: first!(),
    of_links: first_of_links!(),
};

/// The same among the latest clicks only, found by time; and how many these are.
pub(crate) const RECENT: Pair = Pair {
    all: recent!(""),
    of_links: recent!("\n  AND link_id = ANY($6)"),
};

/// Where an event is. `seen` keeps the id of every event, also when its row is gone.
pub(crate) const POSITION: &str = "\
SELECT coalesce(visible_seq, seen.seq) AS visible_seq, occurred_at
FROM seen
LEFT JOIN hits ON hits.workspace_no = seen.workspace_no AND hits.seq = seen.seq
WHERE seen.workspace_no = $1
  AND seen.event_id = $2";

/// The last click that is visible.
pub(crate) const WATERMARK: &str = "\
SELECT visible_seq, event_id
FROM hits
WHERE workspace_no = $1
  AND link_id IS NOT NULL
ORDER BY visible_seq DESC, event_id DESC
LIMIT 1";

/// The codes of links in the main database.
pub(crate) const CODES: &str = "\
SELECT id, short_code
FROM links
WHERE id = ANY($1)";

/// The links of a workspace with that code, deleted ones included.
pub(crate) const LINKS_WITH_CODE: &str = "\
SELECT links.id
FROM links
JOIN workspaces ON workspaces.id = workspace_id
WHERE no = $1
  AND lower(short_code) = lower($2)";
