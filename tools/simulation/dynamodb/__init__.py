"""DynamoDB in this process: the answers and refusals of the real one, a hundred times faster than an engine on a port.

`Client(database)` stands where a boto3 client stands. `Database(specs, clock=…)` holds the tables of
`stacks.tables` and what only a simulation may do:

- `records(table, after)`: what the table's stream has to deliver, in the shape of a Lambda event.
- `expire(table, before)`: deletes what its time to live has ended, when the simulation likes.
- `snapshot()` and `restore(…)`: the whole state, at the price of one shallow copy per table.
- `lagging`: asked at every eventually consistent read; where it says yes, the read is behind by one write.
- `capacity`: nothing is ever throttled and nothing collides unless a `Capacity` is given.

Calls take no time: a call carries out its work whole, at the moment that `clock` shows. With a `Capacity`, the items
of a transaction stay held for `capacity.latency` seconds after that moment, and who touches one of them meanwhile gets
a TransactionConflict. A discrete-event simulation therefore calls, and then lets its caller sleep for
`capacity.latency`; it may set another latency before each call.

The double refuses what it does not know (a parameter with TypeError, an expression or a type with NotImplementedError)
instead of guessing. `make contract` compares it with other engines.
"""

from tools.simulation.dynamodb.capacity import Capacity as Capacity
from tools.simulation.dynamodb.client import Client as Client
from tools.simulation.dynamodb.database import Database as Database
from tools.simulation.dynamodb.database import Snapshot as Snapshot
