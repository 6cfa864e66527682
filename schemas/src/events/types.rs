//! The macro that turns the table of event types into [`Kind`](super::Kind), [`Body`](super::Body)
//! and the functions that need every type.

/// Declares the event types. See the table in [`events`](super) for the meaning of each column.
macro_rules! event_types {
    ($(
        $(#[doc = $about:literal])+
        $number:literal => $type:ident = $name:literal, version $version:literal, within $within:ident,
            extends $extends:literal;
    )+) => {
        /// The type of an event, in the past tense as on the wire (`session.started`).
        #[derive(
            Clone,
            Copy,
            Debug,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            serde::Serialize,
            serde::Deserialize,
            schemars::JsonSchema,
        )]
        pub enum Kind {
            $(
                $(#[doc = $about])+
                #[serde(rename = $name)]
                $type,
            )+
        }

        impl Kind {
            /// Every type, in the order of the table.
            pub const ALL: [Self; [$($number),+].len()] = [$(Self::$type),+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$type => $name,)+
                }
            }

            /// The number in the tables; a number is never given to a second type.
            #[must_use]
            pub const fn number(self) -> i16 {
                match self {
                    $(Self::$type => $number,)+
                }
            }

            /// The newest version this build reads and the only one it writes.
            #[must_use]
            pub const fn version(self) -> u16 {
                match self {
                    $(Self::$type => $version,)+
                }
            }

            /// The object that an event of this type belongs to.
            #[must_use]
            pub const fn within(self) -> $crate::events::Within {
                match self {
                    $(Self::$type => $crate::events::Within::$within,)+
                }
            }

            /// True when an event of this type shows that its session continues. Such an event does
            /// not count after the longest duration of a session.
            #[must_use]
            pub const fn extends_session(self) -> bool {
                match self {
                    $(Self::$type => $extends,)+
                }
            }
        }

        /// The body of an event, by type.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Body {
            $(
                $(#[doc = $about])+
                $type($type),
            )+
        }

        impl Body {
            /// The type of this body.
            #[must_use]
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$type(_) => Kind::$type,)+
                }
            }

            /// Parses the body of this type from JSON.
            fn read(kind: Kind, json: &serde_json::value::RawValue) -> Result<Self, ReadError> {
                match kind {
                    $(Kind::$type => wire::read(json).map(Self::$type),)+
                }
            }

            /// The record's bytes, with this body in the event's envelope.
            fn write(&self, event: &Event) -> Result<Vec<u8>, serde_json::Error> {
                match self {
                    $(Self::$type(body) => wire::write(event, body),)+
                }
            }

            /// The JSON Schema of a record of this type, without the constant `type` and `version`.
            fn schema(kind: Kind) -> schemars::Schema {
                match kind {
                    $(Kind::$type => json_schema::root::<wire::Record<'_, $type>>(),)+
                }
            }
        }
    };
}
