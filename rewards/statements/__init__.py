"""Statements: the books as people read them, for a member, for a brand by month, for a campaign at its end.

Every figure is a sum of transfers, so that each sheet reconciles to the ledger to the unit.
"""
