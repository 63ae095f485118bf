//! Enums of the service: numbers of which new ones may come, and then are values like any other.

/// Declares an enum of numbers with a variant for all that nobody has documented.
macro_rules! open_enum {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)+
            /// A number without a documented meaning.
            Other(i64),
        }

        impl $name {
            /// Returns what a number means.
            pub fn of(number: i64) -> $name {
                match number {
                    $($number => $name::$variant,)+
                    other => $name::Other(other),
                }
            }

            /// Returns its number.
            pub fn number(self) -> i64 {
                match self {
                    $($name::$variant => $number,)+
                    $name::Other(number) => number,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                match self {
                    $($name::$variant => f.pad(stringify!($variant)),)+
                    $name::Other(number) => write!(f, "{number}"),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.number())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::wire::lenient::whole(deserializer).map($name::of)
            }
        }
    };
}

pub(crate) use open_enum;
