"""More buyers than units at the deployed shop on this machine: who gets one, who is told, who is charged."""
