"""What a technique costs in time and memory, estimated before it is used."""
