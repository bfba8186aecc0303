-- What stands in quarantine keeps for whom its sender may write, so that a replay lets nobody write for others.

-- Slug of the one organisation that the sender may write for. NULL: any, as over MQTT, where the broker judges topics.
ALTER TABLE quarantine ADD COLUMN sender_organisation text;
