"""claimstream: labels every sentence of the news articles on a Kafka topic."""
