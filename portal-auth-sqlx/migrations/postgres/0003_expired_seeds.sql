-- Links that have expired and still hold the random part they were made from.
CREATE INDEX portal_links_seeds ON portal_links (over_at) WHERE seed IS NOT NULL;
