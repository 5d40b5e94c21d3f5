//! Where in its lines a text is.

/// What there is to know about the lines so far.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// Whether the line has only white space so far.
    is_blank: bool,
    /// How many backticks the line begins with.
    ticks: u8,
    /// Whether a block of code is open.
    is_code: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { is_blank: true, ticks: 0, is_code: false }
    }
}

/// What a mark is seen as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) begins_line: bool,
    pub(super) begins_message: bool,
    pub(super) is_code: bool,
}

impl Lines {
    pub(super) fn pass(&mut self, text: &str) {
        text.chars().for_each(|sign| self.pass_sign(sign));
    }

    pub(super) fn pass_sign(&mut self, sign: char) {
        match sign {
            '\n' => self.end_line(),
            '`' if self.is_blank || self.ticks > 0 => {
                (self.is_blank, self.ticks) = (false, self.ticks.saturating_add(1));
                self.is_code ^= self.ticks == 3;
            }
            _ if sign.is_whitespace() && self.is_blank => {}
            _ => (self.is_blank, self.ticks) = (false, 0),
        }
    }

    /// Something that is not prose has ended; what follows is like a line of its own.
    pub(super) fn end_line(&mut self) {
        (self.is_blank, self.ticks) = (true, 0);
    }

    pub(super) fn sight(&self, begins_message: bool) -> Sight {
        Sight { begins_line: self.is_blank, begins_message, is_code: self.is_code }
    }
}
