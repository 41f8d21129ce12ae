"""What the PseudoNormal modules share: scene logic, engine client, panels."""
