-- What Content-Signal of robots.txt said of three uses when the page was asked for: yes, no, or nothing.
ALTER TABLE pages
    ADD COLUMN signal_search   text COLLATE "C" CHECK (signal_search IN ('yes', 'no')),
    ADD COLUMN signal_ai_input text COLLATE "C" CHECK (signal_ai_input IN ('yes', 'no')),
    ADD COLUMN signal_ai_train text COLLATE "C" CHECK (signal_ai_train IN ('yes', 'no'));
