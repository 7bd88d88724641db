-- What Content-Signal of robots.txt said of three uses when the page was asked for: yes, no, or nothing.
ALTER TABLE pages ADD COLUMN signal_search TEXT CHECK (signal_search IN ('yes', 'no'));
ALTER TABLE pages ADD COLUMN signal_ai_input TEXT CHECK (signal_ai_input IN ('yes', 'no'));
ALTER TABLE pages ADD COLUMN signal_ai_train TEXT CHECK (signal_ai_train IN ('yes', 'no'));
