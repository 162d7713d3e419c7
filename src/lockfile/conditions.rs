//! The `conditions` of Yarn's lockfile: the platforms on which a package is installed.
//!
//! Yarn writes the `os`, `cpu` and `libc` of a manifest as one expression: `(os=linux | os=darwin) & cpu=x64`.
//! Source: `Manifest.getConditions` and `structUtils.isPackageCompatible` of Yarn, and its expression parser
//! `tinylogic`. All operators have the same precedence and associate to the left.

/// An expression over `os`, `cpu` and `libc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions(Expression);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Is(Field, String),
    Not(Box<Self>),
    Chain(Box<Self>, Vec<(Operator, Self)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Os,
    Cpu,
    Libc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    ExclusiveOr,
}

impl Conditions {
    /// Parses an expression. `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim(), depth: 0 };
        let expression = parser.expression()?;
        parser.rest.is_empty().then_some(Self(expression))
    }

    /// Whether the conditions hold on a platform. `os` and `cpu` are Node's names. `libc` is `None` on a system without
    /// a choice of C libraries. There a condition on `libc` is false and its negation is true, as in Yarn.
    pub fn hold(&self, os: &str, cpu: &str, libc: Option<&str>) -> bool {
        self.0.holds(&|field, value| match field {
            Field::Os => value == os,
            Field::Cpu => value == cpu,
            Field::Libc => Some(value) == libc,
        })
    }
}

impl Expression {
    fn holds(&self, is: &dyn Fn(Field, &str) -> bool) -> bool {
        match self {
            Self::Is(field, value) => is(*field, value),
            Self::Not(inner) => !inner.holds(is),
            Self::Chain(first, others) => {
                others.iter().fold(first.holds(is), |so_far, (operator, other)| match operator {
                    Operator::And => so_far & other.holds(is),
                    Operator::Or => so_far | other.holds(is),
                    Operator::ExclusiveOr => so_far ^ other.holds(is),
                })
            }
        }
    }
}

/// The deepest nesting that is parsed. Real conditions nest once or twice, and a hostile file could exhaust the stack.
const DEEPEST: usize = 64;

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn expression(&mut self) -> Option<Expression> {
        let first = self.operand()?;
        let mut others = Vec::new();
        while let Some(operator) = self.operator() {
            others.push((operator, self.operand()?));
        }
        Some(if others.is_empty() { first } else { Expression::Chain(Box::new(first), others) })
    }

    fn operand(&mut self) -> Option<Expression> {
        self.depth += 1;
        let operand = if self.depth > DEEPEST {
            None
        } else if self.take('!') {
            self.operand().map(|inner| Expression::Not(Box::new(inner)))
        } else if self.take('(') {
            self.expression().filter(|_| self.take(')'))
        } else {
            self.comparison()
        };
        self.depth -= 1;
        operand
    }

    fn operator(&mut self) -> Option<Operator> {
        let operators = [('&', Operator::And), ('|', Operator::Or), ('^', Operator::ExclusiveOr)];
        operators.into_iter().find(|(sign, _)| self.take(*sign)).map(|(_, operator)| operator)
    }

    fn comparison(&mut self) -> Option<Expression> {
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-=".contains(c);
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let (field, value) = word.split_once('=').filter(|(_, value)| !value.is_empty() && !value.contains('='))?;
        let field = match field {
            "os" => Field::Os,
            "cpu" => Field::Cpu,
            "libc" => Field::Libc,
            _ => return None,
        };
        self.rest = rest.trim_start();
        Some(Expression::Is(field, value.to_owned()))
    }

    /// Consumes a sign and the white space after it.
    fn take(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the platforms on which conditions hold, of four common ones and a BSD.
    fn on(text: &str) -> String {
        let conditions = Conditions::parse(text).unwrap_or_else(|| panic!("{text}"));
        let systems = [
            ("glibc", ("linux", "x64", Some("glibc"))),
            ("musl", ("linux", "x64", Some("musl"))),
            ("arm", ("linux", "arm64", Some("glibc"))),
            ("mac", ("darwin", "arm64", None)),
            ("bsd", ("freebsd", "x64", None)),
        ];
        let held = systems.into_iter().filter(|(_, (os, cpu, libc))| conditions.hold(os, cpu, *libc));
        held.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn conditions_hold_where_yarn_says() {
        assert_eq!(on("os=darwin"), "mac");
        assert_eq!(on("!os=linux"), "mac bsd");
        assert_eq!(on("os=linux & cpu=x64 & libc=glibc"), "glibc");
        assert_eq!(on("(os=linux | os=darwin) & cpu=arm64"), "arm mac");
        assert_eq!(on("(!os=linux | os=linux) & (cpu=x64 | cpu=arm64) & !libc=musl"), "glibc arm mac bsd");
        assert_eq!(on("libc=glibc"), "glibc arm");
        assert_eq!(on("!(os=linux & cpu=x64)"), "arm mac bsd");
    }

    #[test]
    fn operators_bind_alike_from_left_to_right() {
        assert_eq!(on("os=darwin | os=linux & cpu=x64"), "glibc musl");
        assert_eq!(on("os=linux ^ cpu=x64"), "arm bsd");
        assert_eq!(on("!!os=darwin"), "mac");
    }

    #[test]
    fn what_is_no_expression_is_none() {
        for text in [
            "",
            "os",
            "os=",
            "=x",
            "os=linux &",
            "os=linux cpu=x64",
            "(os=linux",
            "os=linux)",
            "node=20",
            "os=Linux",
            "os==linux",
            "os=linux && cpu=x64",
            "!",
            "()",
        ] {
            assert_eq!(Conditions::parse(text), None, "{text}");
        }
        assert_eq!(Conditions::parse(&format!("{}os=linux", "!".repeat(100_000))), None);
        assert_eq!(Conditions::parse(&"(".repeat(100_000)), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[oscpulib=x64!()&|^ -]{0,40}") {
            let _ = Conditions::parse(&text);
        }
    }
}
