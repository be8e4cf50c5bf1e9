-- Small facts: restarts, terminal id, remembered limits.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Chains in the order they were begun; the last one is written to.
CREATE TABLE chain (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    -- Row number before the chain's first entry: entry.n = base + seq.
    base INTEGER NOT NULL CHECK (base >= 0),
    -- Acknowledged through this seq.
    cursor INTEGER NOT NULL DEFAULT 0 CHECK (cursor >= 0),
    made_ms INTEGER NOT NULL
) STRICT;

-- Every entry of every chain, in the order written: appending touches the last page only.
CREATE TABLE entry (
    n INTEGER PRIMARY KEY,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    -- NULL once erased.
    line TEXT,
    -- Central's reason for refusing it.
    refused TEXT,
    -- The row of a newer chain that this entry was carried to.
    carried INTEGER
) STRICT;

CREATE INDEX entry_refused ON entry (n) WHERE refused IS NOT NULL;

-- Rows of older chains that still have to be carried into the last one.
CREATE TABLE carry (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL CHECK (last >= first)
) STRICT;

-- Central had everything up to row n at this wall time.
CREATE TABLE acknowledged (
    n INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT;
