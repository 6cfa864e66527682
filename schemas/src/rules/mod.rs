//! Rules of links: from the condition that an owner wrote to a test that takes microseconds.
//!
//! Owns fields, operators and values, the problems of a condition in words, and the evaluation. The
//! one rule: where a fact is unknown, no condition is met, negated ones included; only `exists` asks
//! for it. Texts are compared without regard to case.

mod check;
mod facts;
mod field;
#[cfg(test)]
mod interpreter;
mod language;
mod operator;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
mod version;
mod window;

pub use facts::Facts;
pub use field::{Field, NAMES as FIELDS};
pub use operator::Operator;

use crate::directory::Test;
use check::Check;
use std::fmt;

/// How deep groups may be nested.
pub const MAX_DEPTH: usize = 5;

/// Most conditions of a rule.
pub const MAX_CONDITIONS: usize = 50;

/// Most values of one condition: more than there are countries.
pub const MAX_VALUES: usize = 300;

/// Longest text of a value, in bytes.
pub const MAX_VALUE_BYTES: usize = 512;

/// Most patterns of a rule. Each may take some 100 KB of memory.
pub const MAX_PATTERNS: usize = 5;

/// A test that is ready to be asked.
#[derive(Clone, Debug)]
pub struct Compiled(Node);

#[derive(Clone, Debug)]
enum Node {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Is(Condition),
}

#[derive(Clone, Debug)]
struct Condition {
    field: Field,
    check: Check,
    is_negated: bool,
}

/// What is wrong with a test, or worth knowing about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The way to the group or condition: its place in each group from the outermost one.
    pub place: Vec<usize>,
    /// Which part of it.
    pub part: Part,
    /// What, in words.
    pub message: String,
}

/// A part of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole group or condition.
    Whole,
    /// `field`
    Field,
    /// `operator`
    Operator,
    /// `value`
    Value,
}

impl Part {
    /// The name of the member; `None` for the whole.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Field => Some("field"),
            Self::Operator => Some("operator"),
            Self::Value => Some("value"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("conditions")?;
        for index in &self.place {
            write!(f, "[{index}]")?;
        }
        if let Some(part) = self.part.name() {
            write!(f, ".{part}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Compiles a test.
///
/// # Errors
/// Every problem of it. A test without problems never fails later.
pub fn read(test: &Test) -> Result<Compiled, Vec<Problem>> {
    let mut reading = Reading::default();
    let node = reading.node(test, &mut Vec::new());
    match node {
        Some(node) if reading.problems.is_empty() => Ok(Compiled(node)),
        _ => Err(reading.problems),
    }
}

/// What an owner should know about a valid test: conditions that are never or rarely met.
#[must_use]
pub fn warnings(test: &Test) -> Vec<Problem> {
    let mut found = Vec::new();
    collect_warnings(test, &mut Vec::new(), &mut found);
    found
}

fn collect_warnings(test: &Test, place: &mut Vec<usize>, found: &mut Vec<Problem>) {
    match test {
        Test::All(parts) | Test::Any(parts) if place.len() < MAX_DEPTH => {
            for (index, part) in parts.iter().enumerate().take(MAX_CONDITIONS) {
                place.push(index);
                collect_warnings(part, place, found);
                place.pop();
            }
        }
        Test::All(_) | Test::Any(_) => {}
        Test::Is { field, .. } => {
            let caveat = Field::named(field).and_then(|field| field.caveat());
            found.extend(caveat.map(|caveat| Problem {
                place: place.clone(),
                part: Part::Field,
                message: format!("`{field}`: {caveat}"),
            }));
        }
    }
}

/// The state of compiling: what was found, and what is left of the bounds.
#[derive(Debug, Default)]
struct Reading {
    problems: Vec<Problem>,
    conditions: usize,
    patterns: usize,
}

impl Reading {
    fn node(&mut self, test: &Test, place: &mut Vec<usize>) -> Option<Node> {
        match test {
            Test::All(parts) => self.group(parts, place).map(Node::All),
            Test::Any(parts) => self.group(parts, place).map(Node::Any),
            Test::Is {
                field,
                operator,
                value,
            } => {
                self.conditions += 1;
                if self.conditions > MAX_CONDITIONS {
                    // One problem says it all, however many conditions follow.
                    if self.conditions == MAX_CONDITIONS + 1 {
                        let message = format!("a rule has at most {MAX_CONDITIONS} conditions");
                        self.complain(place, Part::Whole, message);
                    }
                    return None;
                }
                match condition(field, operator, value) {
                    Ok(condition) => self.counted(condition, place).map(Node::Is),
                    Err((part, message)) => {
                        self.complain(place, part, message);
                        None
                    }
                }
            }
        }
    }

    fn group(&mut self, parts: &[Test], place: &mut Vec<usize>) -> Option<Box<[Node]>> {
        if place.len() >= MAX_DEPTH {
            let message = format!("groups are nested at most {MAX_DEPTH} deep");
            self.complain(place, Part::Whole, message);
            return None;
        }
        let mut nodes = Some(Vec::new());
        for (index, part) in parts.iter().enumerate() {
            // Empty groups cost nothing to write, so they count too.
            if index >= MAX_CONDITIONS {
                let message = format!("a group has at most {MAX_CONDITIONS} members");
                self.complain(place, Part::Whole, message);
                return None;
            }
            place.push(index);
            let node = self.node(part, place);
            place.pop();
            nodes = nodes.zip(node).map(|(mut nodes, node)| {
                nodes.push(node);
                nodes
            });
        }
        nodes.map(Vec::into_boxed_slice)
    }

    fn counted(&mut self, condition: Condition, place: &[usize]) -> Option<Condition> {
        self.patterns += usize::from(matches!(condition.check, Check::Matches(_)));
        if self.patterns > MAX_PATTERNS {
            let message = format!("a rule has at most {MAX_PATTERNS} patterns");
            self.complain(place, Part::Operator, message);
            return None;
        }
        Some(condition)
    }

    fn complain(&mut self, place: &[usize], part: Part, message: String) {
        self.problems.push(Problem {
            place: place.to_vec(),
            part,
            message,
        });
    }
}

fn condition(
    field: &str,
    operator: &str,
    value: &serde_json::Value,
) -> Result<Condition, (Part, String)> {
    let known = Field::named(field).ok_or_else(|| {
        let names: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let message =
            format!("unknown field `{field}`; the fields are {names}, and query.<parameter>");
        (Part::Field, message)
    })?;
    let suiting = check::operators(known.kind());
    let Some(operator) = Operator::named(operator).filter(|known| suiting.contains(known)) else {
        let names: Vec<&str> = suiting.iter().map(|suiting| suiting.name()).collect();
        let names = names.join(", ");
        let message = format!("operator `{operator}` does not suit `{field}`; these do: {names}");
        return Err((Part::Operator, message));
    };
    let check = check::read(known.kind(), operator, value);
    Ok(Condition {
        field: known,
        check: check.map_err(|message| (Part::Value, message))?,
        is_negated: operator.is_negated(),
    })
}

impl Compiled {
    /// True if a request passes.
    #[must_use]
    pub fn passes(&self, facts: &dyn Facts) -> bool {
        self.0.passes(facts)
    }

    /// True if a condition is about this field.
    #[must_use]
    pub fn asks_for(&self, field: &Field) -> bool {
        self.0.asks_for(field)
    }
}

impl Node {
    fn passes(&self, facts: &dyn Facts) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.passes(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(facts)),
            Self::Is(condition) => condition.passes(facts),
        }
    }

    fn asks_for(&self, field: &Field) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.asks_for(field)),
            Self::Is(condition) => condition.field == *field,
        }
    }
}

impl Condition {
    fn passes(&self, facts: &dyn Facts) -> bool {
        if let Check::Exists(expected) = self.check {
            return facts.text(&self.field).is_some() == expected;
        }
        let is_met = match self.field {
            Field::Time | Field::Date => Some(self.check.is_met_at(facts.now())),
            Field::Percentage => facts
                .bucket()
                .map(|bucket| self.check.is_met_by_number(bucket)),
            _ => {
                let text = facts.text(&self.field);
                text.and_then(|text| self.check.is_met_by(&self.field, &text))
            }
        };
        is_met.is_some_and(|is_met| is_met != self.is_negated)
    }
}
