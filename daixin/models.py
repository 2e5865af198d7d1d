"""Every table of the house, imported so that migrations and checks see them all."""

from bots.drafts import CampaignDraft
from bots.state import AdapterNote, Conversation, Quarantined
from core.claims import JobClaim
from core.outbox import Outbox
from referral.announcing import Announcement
from referral.api_keys import ApiKey
from referral.attribution.consent import DeviceConsent
from referral.attribution.decisions import Attribution, CreditShare
from referral.audit import AuditEntry, AuditHead
from referral.boards.names import BoardName
from referral.boards.shares import BoardShare
from referral.brands import Brand, Community, WaitingGroup
from referral.campaigns import Campaign, CampaignVersion, Enrollment, InviteCode, PlatformInvite
from referral.cases import Case
from referral.contests.decisions import ContestDecision
from referral.contests.results import ContestResult
from referral.contests.sheet import ContestPoint
from referral.contests.teams import Team, TeamMember
from referral.conversions import Conversion, Refund
from referral.insight.models import InsightDay, InsightFigure, InsightMark
from referral.leaderboard import Score, ScoreCount, ScoreHour
from referral.lifecycle import CampaignTimer
from referral.linking import LinkAttempts, LinkCode, MemberLink
from referral.members import Identity, Member, Membership, Sighting
from referral.outreach.models import Broadcast, Outreach, OutreachChoice, OutreachSettings
from referral.pictures import Picture
from referral.qualifying import QualifyingEvent
from referral.referrals import Referral
from referral.search import MemberTerm, SearchMark
from referral.shops import Shop, ShopDelivery, ShopOrderName, ShopRefund
from referral.staff import Staff
from referral.staff_codes import StaffCode
from referral.touches import Touch
from referral.trials.places import Trial, TrialApplication, TrialFeedback
from referral.users.accounts import User, UserRole
from referral.users.links import DoorLink
from referral.users.passkeys import Passkey
from referral.users.sessions import UserSession
from referral.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent, WebhookHead
from rewards.adjustments import Adjustment
from rewards.books import BooksCheck
from rewards.budget import BudgetLevel
from rewards.earnings import Earning
from rewards.exports.exports import Export
from rewards.insight.costs import AssetValue, CostBaseline, OutsideCost
from rewards.items.badges import Badge
from rewards.items.draws import Draw, Ticket
from rewards.items.items import Item, ItemCount
from rewards.items.promo_codes import PromoCode
from rewards.items.shipments import Shipment
from rewards.items.vouchers import Voucher
from rewards.ledger import LedgerAccount, Transfer
from rewards.payouts.payouts import Payee, Payout, PayoutBatch, PayoutEvent, PayoutLine
from rewards.plans import RewardPlan
from rewards.proofs.blocks import Block, PublishedRoot, RootReaders, SealedTransfer, UnsealedTransfer
from rewards.rewards import Reward
from web.api.answers import ApiAnswer

TABLES = (
    *(Brand, ApiKey, Community, Member, Identity, Sighting, Membership),
    *(Campaign, CampaignVersion, Enrollment, InviteCode, PlatformInvite, Touch, Referral, QualifyingEvent),
    *(Conversion, Refund, Attribution, CreditShare, DeviceConsent, Case),
    *(Shop, ShopDelivery, ShopOrderName, ShopRefund),
    *(BoardName, BoardShare),
    *(InsightFigure, InsightDay, InsightMark, OutsideCost, CostBaseline, AssetValue),
    *(Score, ScoreCount, ScoreHour, LinkCode, LinkAttempts, MemberLink),
    *(CampaignTimer, Announcement, Picture),
    *(Trial, TrialApplication, TrialFeedback),
    *(Team, TeamMember, ContestPoint, ContestDecision, ContestResult),
    *(Outreach, OutreachChoice, OutreachSettings, Broadcast),
    *(LedgerAccount, Transfer, RewardPlan, Reward, Adjustment, BudgetLevel),
    *(Payee, PayoutBatch, Payout, PayoutLine, PayoutEvent),
    *(Item, ItemCount, Voucher, PromoCode, Badge, Shipment, Draw, Ticket),
    *(AuditEntry, AuditHead, Staff, StaffCode, WaitingGroup),
    *(User, UserRole, UserSession, Passkey, DoorLink),
    *(Export, BooksCheck),
    *(WebhookEndpoint, WebhookEvent, WebhookHead, WebhookDelivery),
    *(Block, SealedTransfer, UnsealedTransfer, PublishedRoot, RootReaders),
    *(Conversation, CampaignDraft, AdapterNote, Quarantined, Outbox, JobClaim, ApiAnswer),
    *(MemberTerm, SearchMark, Earning),
)
