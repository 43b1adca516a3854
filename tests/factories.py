"""Rows for tests, by factory-boy: `WorkspaceFactory.create(currency="JPY")`."""

from factory.declarations import RelatedFactory, Sequence, SubFactory
from factory.django import DjangoModelFactory

from accounts.models import Membership, Plan, Role, Subscription, User, Workspace


class UserFactory(DjangoModelFactory[User]):
    """A person who can only be signed in by `force_login`."""

    class Meta:
        model = User

    email = Sequence(lambda number: f"person{number}@example.com")
    password = "!"


class PlanFactory(DjangoModelFactory[Plan]):
    """One of the plans that every database has."""

    class Meta:
        model = Plan
        django_get_or_create = ("code",)

    code = "starter"


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    """Puts a workspace on the plan with the code `plan__code`."""

    class Meta:
        model = Subscription

    plan = SubFactory(PlanFactory)


class WorkspaceFactory(DjangoModelFactory[Workspace]):
    """A workspace without members, on Starter; `subscription__plan__code="professional"` for another plan."""

    class Meta:
        model = Workspace
        skip_postgeneration_save = True

    name = Sequence(lambda number: f"Workspace {number}")
    slug = Sequence(lambda number: f"workspace-{number}")
    subscription = RelatedFactory(SubscriptionFactory, factory_related_name="workspace")


class MembershipFactory(DjangoModelFactory[Membership]):
    """A user in a workspace, as a viewer unless `role` says otherwise."""

    class Meta:
        model = Membership

    workspace = SubFactory(WorkspaceFactory)
    user = SubFactory(UserFactory)
    role = Role.VIEWER
