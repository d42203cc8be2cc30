"""What moto 5.2.5 lacks of CloudFormation's stacks."""

import traceback
from graphlib import TopologicalSorter

from moto.apigateway.models import Deployment
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.events.models import EventBus

execute = CloudFormationBackend.execute_change_set
unprotected_delete = CloudFormationBackend.delete_stack
generate = parsing.generate_resource_name


def update_termination_protection(self):
    """moto: not implemented."""
    stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
    stack.enable_termination_protection = self._get_param("EnableTerminationProtection")
    return ActionResult({"StackId": stack.stack_id})


def delete_stack(self, name_or_stack_id):
    """moto: deletes protected stacks."""
    stack = self.get_stack(name_or_stack_id)
    if stack.enable_termination_protection:
        message = f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        raise ValidationError(message=message)
    unprotected_delete(self, name_or_stack_id)


def execute_change_set(self, change_set_name, stack_name=None):
    """
    moto: makes resources in the template's order, whatever they depend on; leaves outputs and exports as they were; and
    answers a failure by an error that the CLI tries again.
    """
    change_set = self.describe_change_set(change_set_name)
    stack, resources = change_set.stack, change_set.template_dict["Resources"]
    waits = {name: [each] if isinstance(each := r.get("DependsOn", []), str) else each for name, r in resources.items()}
    change_set.template_dict["Resources"] = {k: resources[k] for k in TopologicalSorter(waits).static_order()}
    stack.resource_map.cross_stack_resources = self.exports
    try:
        execute(self, change_set_name, stack_name)
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        self.exports.update({export.name: export for export in stack.exports})
    except Exception as error:
        traceback.print_exc()
        stack.status = "ROLLBACK_FAILED"
        stack._add_stack_event("ROLLBACK_FAILED", resource_status_reason=str(error))


def generate_resource_name(resource_type, stack_name, logical_id):
    """moto: makes longer names than it takes."""
    limit = 80 if resource_type == "AWS::StepFunctions::StateMachine" else 255
    return generate(resource_type, stack_name, logical_id)[-limit:].lstrip("-")


parsing.generate_resource_name = generate_resource_name
CloudFormationResponse.update_termination_protection = update_termination_protection
CloudFormationBackend.delete_stack = delete_stack
CloudFormationBackend.execute_change_set = execute_change_set

# moto: `Ref` gives the Python object.
Deployment.physical_resource_id = property(lambda self: self.id)
EventBus.physical_resource_id = property(lambda self: self.name)
