//! Tests that the vocabulary is consistent: names are unique, and dimensions and scopes match the
//! facts.

use super::{
    dimensions::{
        CAMPAIGN, COUNTRY, DESTINATION, ENTRY_PAGE, LINK, OF_CLICKS, OF_VISITS, REASON, TRIGGER,
    },
    facts::{
        BY_PEOPLE, CLICKS_OF_LINKS, CONVERSIONS, FACTS, LINK_CLICKS, PAGE_VIEWS, RECORDED_CLICKS,
        REFUSALS, VISITS,
    },
    measures::{UNIQUE_VISITORS, VIEWS},
    *,
};
use std::collections::BTreeSet;

/// A property of visits with a copy in page views.
static COPIED: Dimension = Dimension {
    columns: &[(&VISITS, "landing_path"), (&PAGE_VIEWS, "path")],
    ..ENTRY_PAGE
};

/// Another part of the page views.
static TITLED: Fact = Fact {
    id: "titled_views",
    only: &[Predicate::Present("title")],
    ..LINK_CLICKS
};

#[test]
fn a_click_is_a_page_view_and_not_a_visit() {
    assert!(LINK_CLICKS.is_within(&PAGE_VIEWS) && LINK_CLICKS.is_within(&LINK_CLICKS));
    assert!(!PAGE_VIEWS.is_within(&LINK_CLICKS) && !LINK_CLICKS.is_within(&VISITS));
    assert_eq!(*LINK_CLICKS.whole(), PAGE_VIEWS);
    assert_eq!(*VISITS.whole(), VISITS);
}

#[test]
fn the_smallest_fact_that_contains_others_is_found() {
    let holding =
        |facts: &[&'static Fact]| Fact::holding(facts.iter().copied()).map(|fact| fact.id);
    assert_eq!(holding(&[]), None);
    assert_eq!(holding(&[&LINK_CLICKS, &LINK_CLICKS]), Some("link_clicks"));
    assert_eq!(holding(&[&LINK_CLICKS, &PAGE_VIEWS]), Some("page_views"));
    assert_eq!(holding(&[&PAGE_VIEWS, &LINK_CLICKS]), Some("page_views"));
    assert_eq!(holding(&[&VISITS, &PAGE_VIEWS]), None);
    // Neither contains the other, but both are page views.
    assert_eq!(holding(&[&LINK_CLICKS, &TITLED]), Some("page_views"));
}

#[test]
fn conditions_exclude_those_that_the_given_rows_already_meet() {
    let has_link = Predicate::Present("link_id");
    assert_eq!(LINK_CLICKS.predicates_within(Some(&PAGE_VIEWS)), [has_link]);
    assert_eq!(LINK_CLICKS.predicates_within(Some(&LINK_CLICKS)), []);
    assert_eq!(LINK_CLICKS.predicates_within(None), [has_link]);
    let counted = CLICKS_OF_LINKS.predicates_within(Some(&RECORDED_CLICKS));
    assert_eq!(counted, [BY_PEOPLE, Predicate::False("is_duplicate")]);
}

#[test]
fn a_click_has_its_own_link_and_the_country_of_its_visit() {
    assert_eq!(COUNTRY.on(&VISITS), Some(Reach::Own("country")));
    assert_eq!(COUNTRY.on(&LINK_CLICKS), Some(Reach::Visit("country")));
    assert_eq!(COUNTRY.on(&REFUSALS), None);
    assert_eq!(LINK.on(&LINK_CLICKS), Some(Reach::Own("link_id")));
    assert_eq!(LINK.on(&VISITS), None);
    assert_eq!(REASON.on(&REFUSALS), Some(Reach::Own("refusal_reason")));
}

#[test]
fn a_copied_column_is_used_instead_of_the_visits() {
    assert_eq!(COPIED.on(&LINK_CLICKS), Some(Reach::Own("path")));
    assert_eq!(COPIED.on(&VISITS), Some(Reach::Own("landing_path")));
}

#[test]
fn every_fact_belongs_to_its_workspace_and_to_pages_or_links() {
    for fact in FACTS {
        let of_links = [RECORDED_CLICKS, CLICKS_OF_LINKS, CONVERSIONS].contains(fact);
        let page = (!of_links).then_some(Within::Id("page_id"));
        let link = of_links.then_some(Within::Id("link_id"));
        assert_eq!((Scope::Page.on(fact), Scope::Link.on(fact)), (page, link));
        let qr = of_links.then_some(Within::Id("qr_id"));
        assert_eq!(Scope::Qr.on(fact), qr);
        let campaign = of_links.then_some(Within::Id("campaign_id"));
        assert_eq!(Scope::Campaign.on(fact), campaign);
        assert!(matches!(Scope::Workspace.on(fact), Some(Within::Only(_))));
    }
    // Clicks on short links are in the table of page views, but on no page.
    let on_a_page = Within::Only(&[Predicate::Present("page_id")]);
    assert_eq!(Scope::Workspace.on(&PAGE_VIEWS), Some(on_a_page));
    assert_eq!(Scope::Workspace.on(&LINK_CLICKS), Some(on_a_page));
}

#[test]
fn a_click_of_a_link_has_all_its_dimensions_itself() {
    // A test of the projector compares the dimensions of visits with the columns of the tables.
    for dimension in OF_CLICKS.iter().copied().chain([&LINK, &CAMPAIGN]) {
        let on = dimension.on(&CLICKS_OF_LINKS);
        assert!(matches!(on, Some(Reach::Own(_))), "{}", dimension.id);
    }
}

#[test]
fn a_conversion_has_the_dimensions_of_its_click() {
    for dimension in OF_VISITS.iter().copied().chain([&LINK, &TRIGGER]) {
        assert_eq!(dimension.on(&CONVERSIONS), dimension.on(&CLICKS_OF_LINKS));
    }
}

#[test]
fn what_a_conversion_has_no_copy_of_is_its_clicks() {
    assert_eq!(
        DESTINATION.on(&CLICKS_OF_LINKS),
        Some(Reach::Own("destination"))
    );
    assert_eq!(
        DESTINATION.on(&CONVERSIONS),
        Some(Reach::Click("destination"))
    );
    for dimension in OF_CLICKS {
        let on = dimension.on(&CONVERSIONS);
        assert!(on.is_some(), "{}", dimension.id);
    }
}

#[test]
fn only_distinct_values_cannot_be_added() {
    assert!(VIEWS.aggregate.is_additive());
    assert!(!UNIQUE_VISITORS.aggregate.is_additive());
}

#[test]
fn ids_are_unique() {
    let facts: BTreeSet<_> = FACTS.iter().map(|fact| fact.id).collect();
    assert_eq!(facts.len(), FACTS.len());
    for all in [OF_VISITS, OF_CLICKS] {
        let dimensions: BTreeSet<_> = all.iter().map(|dimension| dimension.id).collect();
        assert_eq!(dimensions.len(), all.len());
    }
}

#[test]
fn visits_and_views_reach_all_dimensions_of_visits() {
    for dimension in OF_VISITS {
        assert!(matches!(dimension.on(&VISITS), Some(Reach::Own(_))));
        assert!(dimension.on(&PAGE_VIEWS).is_some());
    }
}

/// A filter compares both in one condition.
#[test]
fn an_equivalent_dimension_is_reached_in_the_same_way() {
    for dimension in OF_VISITS {
        let Some(also) = dimension.also else { continue };
        for fact in FACTS {
            let own = |one: &Dimension| one.on(fact).map(|reach| matches!(reach, Reach::Own(_)));
            assert_eq!(own(dimension), own(also), "{} of {}", dimension.id, fact.id);
        }
    }
}

#[test]
fn the_label_of_missing_values_is_not_a_listed_value() {
    for dimension in OF_VISITS {
        match dimension.values {
            Values::Words(words) => assert!(!words.contains(&dimension.null_label)),
            Values::Countries => {
                assert_eq!(crate::countries::find(dimension.null_label), None);
            }
            Values::Any | Values::Few | Values::Known => {}
        }
        if dimension.id.starts_with("utm_") {
            assert_eq!(dimension.null_label, "(none)");
        }
    }
}
