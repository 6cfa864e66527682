//! Decides what a request for a short link is answered.
//!
//! The one rule: this is the only code that makes a `Location`. Every request passes all gates, in
//! their order: found, enabled, not archived, not expired, limit, password, preview, rules, deep
//! link, destination. A link without a decision leads nowhere.

use super::{
    apps::{self, App},
    facts::{ForOwner, RequestFacts},
    limits::{ClickLimits, Limit},
    query::{self, Wishes},
    splice::{self, Additions},
};
use crate::directory::{Found, RuleOf};
use axum::http::{HeaderValue, StatusCode};
use schemas::{
    BotReason, ClickId, QrId, RuleId, Trigger,
    directory::{Forward, LinkSettings, RedirectMode, RedirectStatus},
};
use std::{sync::LazyLock, time::Duration};

/// The settings of a link that has none.
static PLAIN: LazyLock<LinkSettings> = LazyLock::new(LinkSettings::default);

/// What decides besides the link.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// HEAD instead of GET.
    pub is_head: bool,
    /// The browser asks before the person does.
    pub is_ahead: bool,
    /// The password was given, and is the link's.
    pub has_password: bool,
    /// What the request asks for.
    pub wishes: Wishes,
    /// What rules ask for.
    pub facts: &'a RequestFacts<'a>,
    /// The clicks so far.
    pub limits: &'a ClickLimits,
    /// The time since a fixed moment, for the limits.
    pub elapsed: Duration,
}

/// The decision on a request.
#[derive(Debug)]
pub enum Decision {
    /// There is no such link, or none of its rules matches and it has no other way.
    Unknown,
    /// The owner, the time or the limit closed the link.
    Closed(Closed),
    /// A browser prefetches the link; the visitor has not opened it.
    Later(Record),
    /// The link asks for its password.
    Locked,
    /// A program that makes a preview gets the owner's.
    Preview(Record),
    /// The link is opened.
    Open(Opened),
}

/// Why a link is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The owner switched it off.
    Disabled,
    /// The owner archived it.
    Archived,
    /// Its time is over.
    Expired,
    /// It had all the clicks it takes.
    Limit,
}

/// What a request leaves in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    Nothing,
    /// A click, which may still turn out to be a machine's.
    Click,
    /// A click that does not count, for this reason.
    Bot(BotReason),
}

/// An opened link: where to, and what the log learns about it.
#[derive(Debug)]
pub struct Opened {
    /// What it leaves in the log.
    pub record: Record,
    /// The answer.
    pub way: Way,
    /// Where the click leads, without what is added to it.
    pub destination: String,
    /// The rule that chose it.
    pub rule: Option<(RuleId, Box<str>)>,
    /// How the link was opened.
    pub trigger: Trigger,
    /// The QR code that was scanned.
    pub qr_id: Option<QrId>,
    /// The id of the click, if the destination learned it.
    pub click_id: Option<ClickId>,
}

/// How a visitor gets there.
#[derive(Debug)]
pub enum Way {
    /// By a redirect.
    Redirect(StatusCode, HeaderValue),
    /// By a page that is shown for some seconds first.
    Wait {
        /// Where to.
        url: String,
        /// How long, rounded up.
        seconds: u16,
    },
    /// By a page that tries the app first.
    App {
        /// The address in the app.
        app: String,
        /// Where a device without it goes.
        fallback: String,
    },
    /// Not at all: the click is only recorded.
    Nowhere,
}

/// Decides on a request for a link. `mint` makes a click id.
#[must_use]
pub fn decide(question: Question<'_>, found: &Found, mint: &dyn Fn() -> ClickId) -> Decision {
    let settings = found.link.settings.as_deref();
    let given = settings.map_or(&*PLAIN, |settings| &settings.given);
    let facts = question.facts;
    if given.disabled {
        return Decision::Closed(Closed::Disabled);
    }
    if given.archived {
        return Decision::Closed(Closed::Archived);
    }
    if given.expires_at.is_some_and(|end| facts.shown.at >= end) {
        return Decision::Closed(Closed::Expired);
    }
    let limit = given.clicks_limit.map(|most| Limit {
        link_id: found.link.link_id,
        most,
        used: given.clicks_used,
    });
    if limit.is_some_and(|limit| question.limits.is_reached(limit)) {
        return Decision::Closed(Closed::Limit);
    }
    let record = question.record(limit.is_some());
    // A browser would use a redirect that it fetched ahead, and the click would never be seen. It
    // discards a failure and asks again.
    if question.is_ahead {
        return Decision::Later(record);
    }
    if given.password_hash.is_some() && !question.has_password {
        return Decision::Locked;
    }
    if given.preview.is_some() && facts.bot_reason() == Some(BotReason::Preview) {
        return Decision::Preview(record);
    }
    let chosen = choose(question, found, given);
    if given.mode == RedirectMode::RuleOnly && chosen.is_none() {
        return Decision::Unknown;
    }
    // The last gate again, now that the click is certain: another may have taken the last place.
    if let Some(limit) = limit
        && record == Record::Click
        && facts.bot_reason().is_none()
        && !question
            .limits
            .take(limit, facts.visitor(), question.elapsed)
    {
        return Decision::Closed(Closed::Limit);
    }
    open(question, found, (given, chosen, record), mint)
}

/// The first rule that matches: the link's, then the campaign's.
fn choose<'a>(
    question: Question<'_>,
    found: &'a Found,
    given: &LinkSettings,
) -> Option<&'a RuleOf> {
    if !matches!(given.mode, RedirectMode::Auto | RedirectMode::RuleOnly) {
        return None;
    }
    let own = found.link.settings.as_deref();
    let own = own.map_or(&[][..], |settings| &settings.rules);
    let shared = found.campaign_rules.as_deref().unwrap_or_default();
    if own.is_empty() && shared.is_empty() {
        return None;
    }
    let link_id = found.link.link_id;
    let facts = question.facts;
    let all = || own.iter().chain(shared);
    let state = if all().any(RuleOf::asks_for_state) {
        facts.visitor()
    } else {
        None
    };
    let is_returning = state.map(|visitor| {
        let limits = question.limits;
        let known = limits.is_returning(link_id, visitor, question.elapsed);
        if !question.is_head {
            limits.remember(link_id, visitor, question.elapsed);
        }
        known
    });
    let campaign = given.campaign_id.map_or(link_id.0, |campaign| campaign.0);
    let of = |owner| ForOwner {
        facts,
        owner,
        is_returning,
    };
    let (link, campaign) = (of(link_id.0), of(campaign));
    let mut own = own.iter();
    let mut shared = shared.iter();
    own.find(|rule| rule.test.passes(&link))
        .or_else(|| shared.find(|rule| rule.test.passes(&campaign)))
}

/// Opens the link: by its app or by its destination.
fn open(
    question: Question<'_>,
    found: &Found,
    (given, chosen, record): (&LinkSettings, Option<&RuleOf>, Record),
    mint: &dyn Fn() -> ClickId,
) -> Decision {
    let facts = question.facts;
    let code = query::qr(facts.shown.query);
    let mut codes = given.qr_codes.iter();
    let qr_id = code
        .as_ref()
        .and_then(|code| codes.find(|known| known.code == **code));
    let mut opened = Opened {
        record,
        way: Way::Nowhere,
        destination: chosen.map_or_else(
            || found.link.destination_text().to_owned(),
            |rule| rule.destination.to_string(),
        ),
        rule: chosen.map(|rule| (rule.rule_id, rule.name.clone())),
        trigger: if code.is_some() {
            Trigger::Qr
        } else {
            Trigger::Link
        },
        qr_id: qr_id.map(|known| known.qr_id),
        click_id: None,
    };
    if given.mode == RedirectMode::Never {
        return Decision::Open(opened);
    }
    // HEAD opens nothing, so no conversion can follow.
    let is_told = given.conversion_tracking
        && !facts.shown.wants_privacy
        && !question.is_head
        && record != Record::Nothing;
    opened.click_id = is_told.then(mint);
    let id = opened.click_id.map(|id| id.0.to_string());
    let forward = chosen
        .and_then(|rule| rule.forward)
        .unwrap_or(given.forward);
    let additions = Additions {
        query: facts.shown.query.filter(|_| forward != Forward::Nothing),
        forward,
        utm: &given.utm,
        click_id: id.as_deref(),
    };
    // A rule says where its visitors go, in apps too.
    let deep_links = match chosen {
        Some(rule) => &*rule.deep_links,
        None => found.deep_links(),
    };
    let app = apps::of(deep_links, question.facts);
    let page = app.and_then(|app| match app.app {
        App::Browser => Some(app.url),
        App::Intent | App::Web | App::Page => app.fallback,
    });
    let page = page.unwrap_or(&opened.destination);
    let url = splice::destination(page, &additions).into_owned();
    if let Some(app) = app {
        if opened.trigger == Trigger::Link {
            opened.trigger = Trigger::Deeplink;
        }
        app.url.clone_into(&mut opened.destination);
        match app.app {
            App::Intent => {
                let intent = apps::intent(app.url, app.package, &url);
                return redirect(question, found, given, (opened, &intent));
            }
            App::Web => return redirect(question, found, given, (opened, app.url)),
            App::Page => {
                opened.way = Way::App {
                    app: app.url.to_owned(),
                    fallback: url,
                };
                return Decision::Open(opened);
            }
            App::Browser => {}
        }
    }
    let delay = chosen.and_then(|rule| rule.redirect_delay_ms);
    let delay = delay.unwrap_or(given.redirect_delay_ms);
    // A preview shows the destination, so machines do not wait.
    if delay > 0 && facts.bot_reason().is_none() {
        let seconds = delay.div_ceil(1_000);
        opened.way = Way::Wait { url, seconds };
        return Decision::Open(opened);
    }
    redirect(question, found, given, (opened, &url))
}

fn redirect(
    question: Question<'_>,
    found: &Found,
    given: &LinkSettings,
    (mut opened, location): (Opened, &str),
) -> Decision {
    let own = found.link.destination();
    let location = if own.as_bytes() == location.as_bytes() {
        own.clone()
    } else if let Ok(location) = HeaderValue::from_bytes(location.as_bytes()) {
        location
    } else {
        // Every part was checked when it was read; nothing here can end a header.
        return Decision::Unknown;
    };
    let status = match given.status {
        // 307 and 308 would send the password on.
        _ if question.has_password => StatusCode::SEE_OTHER,
        RedirectStatus::MovedPermanently => StatusCode::MOVED_PERMANENTLY,
        RedirectStatus::Found => StatusCode::FOUND,
        RedirectStatus::TemporaryRedirect => StatusCode::TEMPORARY_REDIRECT,
        RedirectStatus::PermanentRedirect => StatusCode::PERMANENT_REDIRECT,
    };
    opened.way = Way::Redirect(status, location);
    Decision::Open(opened)
}

impl Question<'_> {
    /// What the request leaves in the log. A link with a limit records every click.
    fn record(self, has_limit: bool) -> Record {
        if self.wishes.is_untracked && !has_limit {
            Record::Nothing
        } else if self.is_head {
            Record::Bot(BotReason::Head)
        } else if self.is_ahead {
            Record::Bot(BotReason::Prefetch)
        } else if self.wishes.says_bot {
            Record::Bot(BotReason::Parameter)
        } else {
            Record::Click
        }
    }
}

impl Record {
    /// Why the request does not count, as far as it is known by now.
    #[must_use]
    pub const fn bot_reason(self) -> Option<BotReason> {
        match self {
            Self::Bot(reason) => Some(reason),
            Self::Click | Self::Nothing => None,
        }
    }
}

impl Decision {
    /// What the request leaves in the log; `None` for a link that was not opened.
    #[must_use]
    pub const fn record(&self) -> Option<Record> {
        match self {
            Self::Unknown | Self::Closed(_) | Self::Locked => None,
            Self::Later(record) | Self::Preview(record) => Some(*record),
            Self::Open(opened) => Some(opened.record),
        }
    }
}
