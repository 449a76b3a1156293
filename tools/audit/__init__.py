"""`make audit`: scanners over templates and sources, and what was found acknowledged one by one."""
