//! The three shapes the wire is made of: identifiers, open enumerations, and readings of objects.

/// An identifier: opaque text, cheap to clone, not to be confused with another kind of identifier.
macro_rules! identifier {
    ($(#[$doc:meta])* $Name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $Name(std::sync::Arc<str>);

        impl $Name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::json::Write for $Name {
            fn write(&self, out: &mut String) {
                $crate::json::quote(&self.0, out);
            }
        }
    };
    ($(#[$doc:meta])* $Name:ident, from any text) => {
        identifier! { $(#[$doc])* $Name }

        impl<T: AsRef<str>> From<T> for $Name {
            fn from(text: T) -> Self {
                Self(text.as_ref().into())
            }
        }

        impl<'a> $crate::json::Read<'a> for $Name {
            fn read(text: &'a str) -> Result<Self, $crate::json::WireError> {
                Ok(Self::from(std::borrow::Cow::read(text)?))
            }
        }
    };
}

/// An enumeration of strings that may grow at the other end: a value we do not know is kept as it came.
macro_rules! open_enum {
    ($(#[$doc:meta])* pub enum $Name:ident { $( $(#[$vdoc:meta])* $Variant:ident = $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $Name {
            $( $(#[$vdoc])* $Variant, )*
            /// A value this version does not know.
            Other(Box<str>),
        }

        impl $Name {
            /// The value as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$Variant => $text, )*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $Name {
            fn from(text: &str) -> Self {
                match text {
                    $( $text => Self::$Variant, )*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl<'a> $crate::json::Read<'a> for $Name {
            fn read(text: &'a str) -> Result<Self, $crate::json::WireError> {
                Ok(Self::from(&*std::borrow::Cow::read(text)?))
            }
        }

        impl $crate::json::Write for $Name {
            fn write(&self, out: &mut String) {
                $crate::json::quote(self.as_str(), out);
            }
        }
    };
}

/// A reading of one object: the fields we look into, each with its key. The rest stays in the text it was read from.
macro_rules! reading {
    (
        $(#[$doc:meta])*
        pub struct $Name:ident<'a> $(as $tag:literal)? {
            $( $(#[$fdoc:meta])* $field:ident : $type:ty = $key:literal ),* $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $Name<'a> {
            $( $(#[$fdoc])* pub $field: $type, )*
        }

        impl<'a> $Name<'a> {
            /// Reads an object that is split already.
            pub(crate) fn of(object: &$crate::json::Object<'a>) -> Result<Self, $crate::json::WireError> {
                Ok(Self { $( $field: object.read($key)?, )* })
            }
        }

        impl<'a> $crate::json::Read<'a> for $Name<'a> {
            fn read(text: &'a str) -> Result<Self, $crate::json::WireError> {
                Self::of(&$crate::json::Object::split(text)?)
            }
        }

        impl $crate::json::Write for $Name<'_> {
            fn write(&self, out: &mut String) {
                let mut object = $crate::json::ObjectWriter::begin(out);
                $( object.field("type", $tag); )?
                $( object.field($key, &self.$field); )*
                object.end();
            }
        }
    };
}

pub(crate) use {identifier, open_enum, reading};
