//! How long a file or a function may be, and how much a function or a struct may hold. There is no list of exceptions.

use proc_macro2::{Delimiter, Span, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, Fields, FnArg, Ident, ImplItemFn, ItemFn, ItemStruct, Macro, Signature, TraitItemFn, Variant};

use crate::finding::Finding;
use crate::repository::{Repository, SourceFile};
use crate::rules::{Limits, Rules};
use crate::rust::{self, RustFile};

/// A Rust file that is over a limit, or that cannot be measured.
pub(crate) fn check(repository: &Repository, rules: &Rules) -> Vec<Finding> {
    repository.ending(".rs").flat_map(|file| measure(file, &rules.limits)).collect()
}

fn measure(file: &SourceFile, limits: &Limits) -> Vec<Finding> {
    let mut ruler = Ruler { path: &file.path, limits, findings: Vec::new() };
    let (lines, limit) = (file.text.lines().count(), limits.file_lines);
    if lines > limit {
        let message = format!("the file has {lines} lines, the limit is {limit}: split it by what its parts know");
        ruler.findings.push(Finding::new(&file.path, limit + 1, message));
    }
    match RustFile::parse(&file.text) {
        Ok(rust) => ruler.visit_file(&rust.syntax),
        Err(error) => {
            let message = format!("not measured, it does not parse: {error}: make it compile");
            ruler.findings.push(Finding::new(&file.path, error.span().start().line, message));
        }
    }
    ruler.findings
}

struct Ruler<'a> {
    path: &'a str,
    limits: &'a Limits,
    findings: Vec<Finding>,
}

impl Ruler<'_> {
    fn found(&mut self, at: Span, message: String) {
        self.findings.push(Finding::new(self.path, at.start().line, message));
    }

    fn body(&mut self, name: &Ident, open: Span, close: Span) {
        let lines = close.end().line.saturating_sub(open.start().line) + 1;
        let limit = self.limits.function_lines;
        if lines > limit {
            let advice = "move a step with a name of its own into a function";
            self.found(name.span(), format!("the body of `{name}` has {lines} lines, the limit is {limit}: {advice}"));
        }
    }

    fn block(&mut self, signature: &Signature, block: &Block) {
        let braces = block.brace_token.span;
        self.body(&signature.ident, braces.open(), braces.close());
    }

    fn fields(&mut self, name: &Ident, fields: &Fields) {
        let (count, limit) = (fields.len(), self.limits.fields);
        if count > limit {
            let advice = "put those that change together into a struct";
            self.found(name.span(), format!("`{name}` has {count} fields, the limit is {limit}: {advice}"));
        }
    }
}

impl<'ast> Visit<'ast> for Ruler<'_> {
    fn visit_signature(&mut self, signature: &'ast Signature) {
        let count = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        let (name, limit) = (&signature.ident, self.limits.arguments);
        if count > limit {
            let advice = "pass those that belong together as a struct";
            self.found(name.span(), format!("`{name}` has {count} arguments, the limit is {limit}: {advice}"));
        }
        visit::visit_signature(self, signature);
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.block(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.block(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.block(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.fields(&item.ident, &item.fields);
        visit::visit_item_struct(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.fields(&variant.ident, &variant.fields);
        visit::visit_variant(self, variant);
    }

    /// A macro call is opaque to the syntax tree, but `proptest! { fn … }` holds functions like any other.
    fn visit_macro(&mut self, call: &'ast Macro) {
        rust::each_level(&call.tokens, &mut |level| {
            for (at, pair) in level.windows(2).enumerate() {
                if let [TokenTree::Ident(keyword), TokenTree::Ident(name)] = pair
                    && keyword == "fn"
                    && let Some(body) = body_after(level.get(at..).unwrap_or_default())
                {
                    self.body(name, body.span_open(), body.span_close());
                }
            }
        });
    }
}

/// The braces of a function, unless it ends without any.
fn body_after(tokens: &[TokenTree]) -> Option<&proc_macro2::Group> {
    let declaration = tokens.split(|token| rust::is_sign(token, ';')).next()?;
    declaration.iter().find_map(|token| rust::group(token, Delimiter::Brace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{printed, repository, rules};

    fn findings(text: &str) -> Vec<String> {
        printed(check(&repository(&[("src/a.rs", text)]), &rules()))
    }

    /// Braces and this many lines in all.
    fn body(lines: usize) -> String {
        format!("{{\n{}}}\n", "work();\n".repeat(lines - 2))
    }

    #[test]
    fn a_file_of_600_lines_is_allowed_and_of_601_is_not() {
        assert!(findings(&"// line\n".repeat(600)).is_empty());
        let expected = "src/a.rs:601: the file has 601 lines, the limit is 600: split it by what its parts know";
        assert_eq!(findings(&"// line\n".repeat(601)), [expected]);
    }

    #[test]
    fn a_body_of_70_lines_is_allowed_and_of_71_is_not() {
        let expected = "the body of `long` has 71 lines, the limit is 70: move a step with a name of its own into a \
                        function";
        let homes = [
            ("", "", 2),
            ("struct S; impl S {\n", "}", 3),
            ("trait T {\n", "}", 3),
            ("mod m { impl T for S {\n", "} }", 3),
            ("proptest! {\n", "}", 3),
            ("#[cfg(test)] mod tests { macro_rules! m { () => {\n", "} } }", 3),
        ];
        for (before, after, line) in homes {
            let file = |lines| format!("{before}#[inline]\nfn long() {}{after}", body(lines));
            assert!(findings(&file(70)).is_empty(), "{before}");
            assert_eq!(findings(&file(71)), [format!("src/a.rs:{line}: {expected}")], "{before}");
        }
    }

    #[test]
    fn a_declaration_without_a_body_has_no_length() {
        let far = format!("m! {{ fn none(); static S: T = T {} }}", body(71));
        assert!(findings(&far).is_empty());
    }

    #[test]
    fn a_closure_counts_as_part_of_its_function() {
        let closure = |lines| format!("fn outer() {{\nlet closure = || {};\n}}", body(lines));
        assert!(findings(&closure(67)).is_empty());
        assert_eq!(findings(&closure(68)).len(), 1);
    }

    #[test]
    fn a_function_in_a_function_counts_for_itself_and_for_both() {
        let nested = format!("fn outer() {{\nfn inner() {}}}", body(71));
        let lines: Vec<String> = findings(&nested).iter().map(|finding| finding.chars().take(11).collect()).collect();
        assert_eq!(lines, ["src/a.rs:1:", "src/a.rs:2:"]);
    }

    #[test]
    fn six_arguments_are_allowed_and_seven_are_not() {
        let expected = "src/a.rs:1: `f` has 7 arguments, the limit is 6: pass those that belong together as a struct";
        for (before, after) in [("", "{}"), ("trait T { ", "; }"), ("impl S { ", "{} }"), ("extern \"C\" { ", "; }")] {
            let file = |count| format!("{before}fn f({}){after}", "a: u8, ".repeat(count));
            assert!(findings(&file(6)).is_empty(), "{before}");
            assert_eq!(findings(&file(7)), [expected], "{before}");
        }
    }

    #[test]
    fn self_is_no_argument() {
        assert!(findings(&format!("impl S {{ fn f(&mut self, {}) {{}} }}", "a: u8, ".repeat(6))).is_empty());
    }

    #[test]
    fn sixteen_fields_are_allowed_and_seventeen_are_not() {
        let expected = "src/a.rs:1: `S` has 17 fields, the limit is 16: put those that change together into a struct";
        for (before, after) in [("struct ", ""), ("enum E { ", "}"), ("fn f() { struct ", "}")] {
            let file = |count| format!("{before}S {{ {} }}{after}", "a: u8, ".repeat(count));
            assert!(findings(&file(16)).is_empty(), "{before}");
            assert_eq!(findings(&file(17)), [expected], "{before}");
        }
        assert_eq!(findings(&format!("struct S({});", "u8, ".repeat(17))), [expected]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_found() {
        let expected = "src/a.rs:2: not measured, it does not parse: expected square brackets: make it compile";
        assert_eq!(findings("fn f() {}\n# fn g() {}\n"), [expected]);
    }

    #[test]
    fn files_that_are_not_rust_have_no_limit() {
        assert!(check(&repository(&[("a.txt", &"x\n".repeat(700))]), &rules()).is_empty());
    }
}
