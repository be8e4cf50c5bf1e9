//! How a list of texts is written down: once, as names with their page and their English words.

/// A list of texts that .po files are held against.
pub trait Texts: Copy + Eq + std::hash::Hash + std::fmt::Debug + 'static {
    /// Every text.
    const LIST: &'static [Self];

    /// The page it belongs to: `msgctxt` in the .po files.
    fn page(self) -> &'static str;

    /// The English text: `msgid` in the .po files.
    fn english(self) -> &'static str;
}

macro_rules! texts {
    ($(#[$about:meta])* $list:ident; $($(#[$doc:meta])* $name:ident = $context:literal, $source:literal;)+) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $list {
            $($(#[$doc])* $name,)+
        }

        impl $list {
            /// Every text.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$name),+];

            /// The page it belongs to: `msgctxt` in the .po files.
            pub const fn context(self) -> &'static str {
                match self { $(Self::$name => $context,)+ }
            }

            /// The English text: `msgid` in the .po files.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$name => $source,)+ }
            }
        }

        impl crate::lang::list::Texts for $list {
            const LIST: &'static [Self] = &Self::ALL;

            fn page(self) -> &'static str {
                self.context()
            }

            fn english(self) -> &'static str {
                self.source()
            }
        }
    };
}

pub(crate) use texts;
