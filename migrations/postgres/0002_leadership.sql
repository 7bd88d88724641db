-- Who leads the installation: one row, the expiry by the clock of this server. `fence` grows with every change of hands.
CREATE TABLE leadership (
    id         smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    holder     text COLLATE "C" NOT NULL,
    fence      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
-- Epochs of the index, drawn by the leader alone.
CREATE SEQUENCE epochs AS integer;
