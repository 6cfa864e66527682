//! The dimensions that visits and both kinds of clicks share, as columns.

use super::text::text;
use crate::rows::{AgentColumns, OpenedColumns, PlaceColumns, UtmColumns};
use schemas::{Device, LinkId, Utm, Visitor};

/// How a page was opened, or a link with its trigger.
pub(super) fn opened(
    link: Option<(LinkId, &'static str)>,
    referrer: Option<&String>,
) -> OpenedColumns {
    OpenedColumns {
        link_id: link.map(|(id, _)| id),
        referrer: text(referrer),
        trigger: link.map(|(_, trigger)| trigger),
    }
}

/// Campaign parameters.
pub(super) fn utm(utm: &Utm) -> UtmColumns {
    UtmColumns {
        utm_source: text(utm.source.as_ref()),
        utm_medium: text(utm.medium.as_ref()),
        utm_campaign: text(utm.campaign.as_ref()),
        utm_term: text(utm.term.as_ref()),
        utm_content: text(utm.content.as_ref()),
    }
}

/// The visitor's place.
pub(super) fn place(visitor: &Visitor) -> PlaceColumns {
    let place = &visitor.place;
    PlaceColumns {
        country: text(place.country.as_ref()),
        country_code: text(place.country_code.as_ref()),
        region: text(place.region.as_ref()),
        city: text(place.city.as_ref()),
        continent: text(place.continent.as_ref()),
    }
}

/// The visitor's device, browser and language.
pub(super) fn agent(visitor: &Visitor) -> AgentColumns {
    let agent = &visitor.agent;
    AgentColumns {
        device: agent.device.map(Device::name),
        browser: text(agent.browser.as_ref()),
        browser_version: text(agent.browser_version.as_ref()),
        os: text(agent.os.as_ref()),
        os_version: text(agent.os_version.as_ref()),
        brand: text(agent.brand.as_ref()),
        model: text(agent.model.as_ref()),
        language: text(visitor.language.as_ref()),
    }
}
