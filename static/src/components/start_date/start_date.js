import { DateTimeField, dateField } from "@web/views/fields/datetime/datetime_field";
import { registry } from "@web/core/registry";

/** A date whose absence means something: where nobody edits it, the placeholder says what. */
export class StartDateField extends DateTimeField {
    static template = "account_online_ponto.StartDateField";
}

registry.category("fields").add("ponto_start_date", { ...dateField, component: StartDateField });
