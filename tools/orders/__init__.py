"""What operators ask and do about orders: `make executions`, `order`, `resume`, `cancel`, `refund`."""
