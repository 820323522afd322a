-- What the examples on PostgreSQL expect; your migrations would do this.
CREATE TABLE IF NOT EXISTS product (id int PRIMARY KEY, name text NOT NULL, stock int NOT NULL CHECK (stock >= 0));
INSERT INTO product VALUES (1, 'lamp', 10), (2, 'chair', 3) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS customer_order (
  request_id uuid PRIMARY KEY,
  product_id int NOT NULL REFERENCES product,
  quantity int NOT NULL CHECK (quantity > 0),
  placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS job (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  amount int NOT NULL,
  done_at timestamptz
);
CREATE TABLE IF NOT EXISTS payment (job_id bigint PRIMARY KEY REFERENCES job, amount int NOT NULL);
