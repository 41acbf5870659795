/** The tables behind the S3 server: everything but the bytes, which lie in blob files. */
export const schema = `
  create table if not exists buckets (
    name text primary key,
    created integer not null
  ) strict;
  create table if not exists configurations (
    bucket text not null,
    name text not null,
    xml text not null,
    primary key (bucket, name)
  ) strict;
  create table if not exists objects (
    bucket text not null,
    key text not null,
    segments text not null,
    size integer not null,
    etag text not null,
    checksums text not null,
    headers text not null,
    tags text not null,
    modified integer not null,
    primary key (bucket, key)
  ) strict, without rowid;
  create table if not exists uploads (
    id text primary key,
    bucket text not null,
    key text not null,
    headers text not null,
    tags text not null,
    algorithm text,
    initiated integer not null
  ) strict;
  create table if not exists parts (
    upload text not null,
    number integer not null,
    blob text not null,
    size integer not null,
    etag text not null,
    checksums text not null,
    modified integer not null,
    primary key (upload, number)
  ) strict, without rowid;
`;
